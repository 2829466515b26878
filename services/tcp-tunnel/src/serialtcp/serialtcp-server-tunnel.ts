import type { Socket } from "node:net"
import type { TunnelState } from "@serialcast/contract"
import {
  type Acceptor,
  acceptClients,
  formatListenAddress,
  peerName,
  type SerialtcpServerTunnel,
} from "@serialcast/service-kit"
import { ClientList } from "../clients/client-list.ts"
import type { Tunnel, TunnelDeps } from "../tunnel.ts"
import { CableConnection } from "./cable-connection.ts"
import { CableKeeper } from "./cable-keeper.ts"

/** A program that waits longer than this has usually given up itself, in milliseconds. */
const maxWaitMs = 60_000
const maxWaiting = 16
/** Besides those: the one that has the cable, and earlier ones that have not read all yet. */
const maxLeaving = 16

/** Starts the end of a serialtcp cable that TCP clients connect to. Throws `listen_failed`. */
export async function startSerialtcpServerTunnel(
  config: SerialtcpServerTunnel,
  deps: TunnelDeps,
): Promise<Tunnel> {
  const tunnel = new ServerTunnel(config, deps)
  await tunnel.start()
  return tunnel
}

class ServerTunnel implements Tunnel {
  readonly #config: SerialtcpServerTunnel
  readonly #deps: TunnelDeps
  readonly #clients: ClientList
  /** In the order in which they came. */
  readonly #waiting = new Set<CableConnection>()
  readonly #connections = new Set<CableConnection>()
  #acceptor: Acceptor | null = null
  #keeper: CableKeeper | null = null
  #current: CableConnection | null = null

  constructor(config: SerialtcpServerTunnel, deps: TunnelDeps) {
    this.#config = config
    this.#deps = deps
    this.#clients = new ClientList(deps)
  }

  async start(): Promise<void> {
    const { listen, allow, device, type } = this.#config
    const limits = {
      listen,
      allow,
      maxClients: 1 + maxWaiting + maxLeaving,
      what: `${type} tunnel of ${device}`,
    }
    this.#acceptor = await acceptClients(limits, {
      serve: (socket) => this.#serve(socket),
      onRefused: () => this.#clients.countRefused(),
    })
    const by = `tunnel:${formatListenAddress(this.address)}`
    const tcp = { role: "server", waiting: () => this.#waiting.size, accept: () => this.#accept() } as const
    this.#keeper = new CableKeeper({ config: this.#config, by, tcp }, this.#deps)
    this.#keeper.start()
  }

  get address() {
    return this.#acceptor?.address ?? this.#config.listen
  }

  state(): TunnelState {
    const { type, device } = this.#config
    const { problem = null, link = "synchronising" } = this.#keeper ?? {}
    const endpoint = formatListenAddress(this.address)
    return { type, endpoint, device, problem, link, ...this.#clients.toReport() }
  }

  async stop(): Promise<void> {
    await this.#keeper?.stop()
    const closed = this.#acceptor?.close()
    for (const { socket } of this.#connections) socket.resetAndDestroy()
    await closed
  }

  /** Resolves when the client is gone. */
  async #serve(socket: Socket): Promise<void> {
    if (this.#isBusy()) {
      this.#clients.countRefused()
      socket.destroy()
      return
    }
    const { clock, peers } = this.#deps
    const record = this.#clients.add(peerName(socket))
    const connection = new CableConnection({
      socket,
      record,
      clock,
      idleTimeoutMs: this.#config.idleTimeoutMs,
    })
    this.#connections.add(connection)
    peers.watch(socket, () => connection.reset())
    this.#waiting.add(connection)
    using _limit = clock.startTimer(maxWaitMs, () => {
      if (this.#waiting.has(connection)) connection.reset()
    })
    this.#keeper?.clientsWaited()
    if (!connection.closed.aborted)
      await new Promise<void>((resolve) => connection.closed.addEventListener("abort", () => resolve()))
    this.#connections.delete(connection)
    if (this.#current === connection) this.#current = null
    if (this.#waiting.delete(connection)) this.#keeper?.clientsWaited()
    this.#clients.remove(record)
  }

  #isBusy(): boolean {
    if (this.#config.whenBusy === "queue") return this.#waiting.size >= maxWaiting
    return this.#waiting.size > 0 || (this.#current !== null && !this.#current.socket.writableEnded)
  }

  #accept(): CableConnection | null {
    const [next] = this.#waiting
    if (next === undefined) return null
    this.#waiting.delete(next)
    next.record.hasControl = true
    this.#current = next
    return next
  }
}
