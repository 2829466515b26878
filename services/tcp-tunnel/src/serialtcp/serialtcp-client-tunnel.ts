import { connect, type Socket } from "node:net"
import type { TunnelState } from "@serialcast/contract"
import { keepAliveDelayMs } from "@serialcast/primitives/tcp"
import { formatListenAddress, type SerialtcpClientTunnel } from "@serialcast/service-kit"
import { ClientList } from "../clients/client-list.ts"
import type { Tunnel, TunnelDeps } from "../tunnel.ts"
import { CableConnection } from "./cable-connection.ts"
import { CableKeeper } from "./cable-keeper.ts"

/** Starts the end of a serialtcp cable that dials. It listens nowhere, so it cannot fail. */
export async function startSerialtcpClientTunnel(
  config: SerialtcpClientTunnel,
  deps: TunnelDeps,
): Promise<Tunnel> {
  return new ClientTunnel(config, deps)
}

class ClientTunnel implements Tunnel {
  readonly address = null
  readonly #config: SerialtcpClientTunnel
  readonly #deps: TunnelDeps
  readonly #clients: ClientList
  readonly #connections = new Set<CableConnection>()
  readonly #keeper: CableKeeper

  constructor(config: SerialtcpClientTunnel, deps: TunnelDeps) {
    this.#config = config
    this.#deps = deps
    this.#clients = new ClientList(deps)
    const by = `tunnel:${formatListenAddress(config.connect)}`
    const tcp = { role: "client", dial: (signal: AbortSignal) => this.#dial(signal) } as const
    this.#keeper = new CableKeeper({ config, by, tcp }, deps)
    this.#keeper.start()
  }

  state(): TunnelState {
    const { type, device, connect: target } = this.#config
    const { problem, link } = this.#keeper
    return { type, endpoint: formatListenAddress(target), device, problem, link, ...this.#clients.toReport() }
  }

  async stop(): Promise<void> {
    await this.#keeper.stop()
    for (const { socket } of this.#connections) socket.resetAndDestroy()
  }

  /** Rejects when the target is not reached. */
  async #dial(signal: AbortSignal): Promise<CableConnection> {
    const { host, port } = this.#config.connect
    const socket = connect({
      host,
      port,
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveDelayMs,
    })
    await untilConnected(socket, signal)
    const record = this.#clients.add(formatListenAddress(this.#config.connect))
    record.hasControl = true
    const { idleTimeoutMs } = this.#config
    const connection = new CableConnection({ socket, record, clock: this.#deps.clock, idleTimeoutMs })
    this.#connections.add(connection)
    this.#deps.peers.watch(socket, () => connection.reset())
    const forget = () => {
      this.#connections.delete(connection)
      this.#clients.remove(record)
    }
    if (connection.closed.aborted) forget()
    else connection.closed.addEventListener("abort", forget)
    return connection
  }
}

function untilConnected(socket: Socket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const give = () => socket.destroy()
    const settle = () => signal.removeEventListener("abort", give)
    signal.addEventListener("abort", give)
    socket.once("connect", () => {
      settle()
      resolve()
    })
    // Later errors are told by `close`.
    socket.on("error", reject)
    socket.once("close", () => {
      settle()
      reject(new Error("The target was not reached."))
    })
    if (signal.aborted) give()
  })
}
