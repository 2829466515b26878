import { setMaxListeners } from "node:events"
import type { Socket } from "node:net"
import { type TunnelState, toAppError } from "@serialcast/contract"
import {
  acceptClients,
  DeviceAway,
  formatListenAddress,
  type Logger,
  peerName,
  type RawTunnel,
  type Refusal,
  type Rfc2217Tunnel,
} from "@serialcast/service-kit"
import { ClientList } from "../clients/client-list.ts"
import { ClientLog } from "../clients/client-log.ts"
import { type ConnectedClient, Connection } from "../clients/connected-client.ts"
import { IdleWatch } from "../clients/idle-watch.ts"
import type { Tunnel, TunnelDeps } from "../tunnel.ts"

/** A kind of tunnel whose clients all see what the device sends. */
export type SharedTunnel = RawTunnel | Rfc2217Tunnel

/** Serves one client until its signal is aborted; the connection is cut when it resolves. What it throws is logged. */
export type ServeClient = (client: ConnectedClient) => Promise<void>

/**
 * The frame of a tunnel that many clients share: accepts them, counts them, ends those in which nothing moves for
 * `idleTimeoutMs` and, with `onUnplug: close`, all of them when the device is away. Throws `listen_failed`.
 */
export async function serveClients(
  config: SharedTunnel,
  deps: TunnelDeps,
  serve: ServeClient,
): Promise<Tunnel> {
  const frame = new ClientFrame(config, deps, serve)
  await frame.start()
  return frame
}

/** How many of a tunnel's places one address may have: one that takes all it gets leaves some to others. */
function shareOf(maxClients: number): number {
  return maxClients - Math.floor(maxClients / 8)
}

class ClientFrame implements Tunnel {
  readonly #config: SharedTunnel
  readonly #deps: TunnelDeps
  readonly #serve: ServeClient
  readonly #clients: ClientList
  readonly #log: ClientLog
  readonly #connections = new Set<Connection>()
  readonly #away: DeviceAway
  #acceptor: Awaited<ReturnType<typeof acceptClients>> | null = null
  readonly #stopping = new AbortController()

  constructor(config: SharedTunnel, deps: TunnelDeps, serve: ServeClient) {
    const { devices, clock, log, onChange } = deps
    // Each client listens to it: more than ten are no leak here.
    setMaxListeners(0, this.#stopping.signal)
    this.#config = config
    this.#deps = deps
    this.#serve = serve
    this.#clients = new ClientList(deps)
    this.#log = new ClientLog(clock)
    this.#away = new DeviceAway({
      address: config.device,
      devices,
      clock,
      log,
      onChange,
      onAway: () => this.#endUnplugged(),
    })
  }

  async start(): Promise<void> {
    const { type, listen, allow, maxClients, device } = this.#config
    const what = `${type} tunnel of ${device}`
    try {
      this.#acceptor = await acceptClients(
        { listen, allow, maxClients, maxOfAddress: shareOf(maxClients), what },
        {
          serve: (socket) => this.#serveSocket(socket),
          makeRoom: () => this.#makeRoom(),
          onRefused: (socket, why) => this.#refused(socket, why),
        },
      )
    } catch (error) {
      this.#away[Symbol.dispose]()
      throw error
    }
  }

  get address() {
    return this.#acceptor?.address ?? this.#config.listen
  }

  state(): TunnelState {
    const { type, device } = this.#config
    const endpoint = formatListenAddress(this.address)
    return { type, endpoint, device, problem: this.#away.problem, link: null, ...this.#clients.toReport() }
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#away[Symbol.dispose]()
    const ending = [...this.#connections].map((connection) => connection.endSoon("the service stops"))
    await Promise.all([...ending, this.#acceptor?.close()])
  }

  async #serveSocket(socket: Socket): Promise<void> {
    const { clock, peers } = this.#deps
    const { remoteAddress } = socket
    const record = this.#clients.add(peerName(socket), () => idle.moved())
    const log = this.#logOf(record.peer)
    const connection = new Connection({ socket, record, log, clock, stopping: this.#stopping.signal })
    const idle: IdleWatch = new IdleWatch({
      clock,
      timeoutMs: this.#config.idleTimeoutMs,
      isBusy: () => connection.isBusy,
      onIdle: () => connection.end("nothing moved for as long as idleTimeout says"),
    })
    this.#connections.add(connection)
    peers.watch(socket, () => connection.reset("it vanished: it acknowledged nothing any more"))
    this.#endIfUnwanted(connection)
    try {
      await this.#serve(connection)
    } catch (error) {
      const { code, message } = toAppError(error)
      if (code === "internal") log.error({ err: error }, "serving a client failed")
      connection.reset(`${code}: ${message}`)
    } finally {
      idle[Symbol.dispose]()
      this.#connections.delete(connection)
      this.#clients.remove(record)
      this.#left(connection, remoteAddress)
    }
  }

  #endIfUnwanted(connection: Connection): void {
    if (this.#stopping.signal.aborted) connection.reset("the service stops")
    else if (this.#config.onUnplug === "close" && this.#away.isAway) connection.end("the device is unplugged")
  }

  /** Of clients that only wait whether an answer comes, the oldest goes. */
  #makeRoom(): boolean {
    const [waiting] = [...this.#connections].filter(({ givesWay, socket }) => givesWay && !socket.destroyed)
    waiting?.cut("another client needs its place")
    return waiting !== undefined
  }

  #endUnplugged(): void {
    if (this.#config.onUnplug === "keep") return
    for (const connection of this.#connections) connection.end("the device is unplugged")
  }

  #refused(socket: Socket, why: Refusal): void {
    this.#clients.countRefused()
    const log = this.#logOf(peerName(socket))
    this.#log.refused({ log, address: socket.remoteAddress, reason: this.#reasonOf(why) })
  }

  #reasonOf(why: Refusal): string {
    const { maxClients } = this.#config
    switch (why) {
      case "address":
        return "its address is not in `allow`"
      case "full":
        return `it has its ${maxClients} clients`
      case "share":
        return `${shareOf(maxClients)} of its ${maxClients} clients are of this address`
    }
  }

  #left({ record, log, endReason: reason, isRefused }: Connection, address: string | undefined): void {
    if (isRefused) {
      this.#clients.countRefused()
      return this.#log.refused({ log, address, reason })
    }
    const { bytes, refusedBytes } = record.toReport()
    this.#log.left({ log, address, reason, bytes: { ...bytes, refusedBytes } })
  }

  #logOf(peer: string): Logger {
    const { type, device } = this.#config
    return this.#deps.log.child({ tunnel: `${type} ${formatListenAddress(this.address)}`, device, peer })
  }
}
