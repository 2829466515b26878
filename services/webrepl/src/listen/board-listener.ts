import { setMaxListeners } from "node:events"
import type { Socket } from "node:net"
import { AppError } from "@serialcast/contract"
import type { DeviceClient } from "@serialcast/device-stream"
import type { Clock } from "@serialcast/primitives"
import type { PeerWatch } from "@serialcast/primitives/tcp"
import {
  type Acceptor,
  acceptClients,
  DeviceAway,
  formatListenAddress,
  type ListenAddress,
  type Logger,
  peerName,
  type Refusal,
  type Refusals,
  type WebreplConfig,
} from "@serialcast/service-kit"
import type { UseBoard } from "../file-channel/board-files.ts"
import { FirmwareVersion } from "../from-board/firmware-version.ts"
import { watchVersion } from "../from-board/watch-version.ts"
import { createPasswordCheck } from "../login/password-check.ts"
import { BoardDoor } from "../session/board-door.ts"
import { ClientConnection, type Totals } from "../session/client-connection.ts"
import type { ClientSession } from "../session/client-session.ts"
import type { Role } from "../session/seats.ts"
import type { ListenerSecrets } from "./listener-secrets.ts"
import { type PageAnswer, serveVisitor } from "./serve-visitor.ts"

/** Connections besides those that have a place: at the prompt, being told good-bye, fetching the page. */
const visitors = 24

export interface BoardListenerDeps {
  /** Stays the caller's. */
  readonly devices: DeviceClient
  readonly clock: Clock
  /** Notices clients that vanish. */
  readonly peers: PeerWatch
  readonly log: Logger
  readonly refusals: Refusals
  readonly secrets: ListenerSecrets
  readonly answerPage: PageAnswer
  readonly useBoard: UseBoard
}

/** A board's listener as it is now. */
export interface ListenerState {
  /** `host:port` */
  readonly endpoint: string
  /** Clients come through TLS. */
  readonly isSecure: boolean
  /** `<gateway>/<device>` */
  readonly device: string
  /** What keeps the board from being used; null: nothing. */
  readonly problem: { readonly code: string; readonly message: string } | null
  /** Clients that have logged in and are there. */
  readonly clients: readonly { readonly peer: string; readonly role: Role }[]
  readonly totals: Readonly<Totals>
}

/** One entry of the configuration's `webrepl` at work: the port of one board. */
export class BoardListener {
  readonly #config: WebreplConfig
  readonly #deps: BoardListenerDeps
  readonly #door: BoardDoor
  readonly #away: DeviceAway
  readonly #connections = new Set<ClientConnection>()
  readonly #sessions = new Set<ClientSession>()
  readonly #totals: Totals = { clients: 0, fromClients: 0, toClients: 0 }
  readonly #stopping = new AbortController()
  #acceptor: Acceptor | null = null

  constructor(config: WebreplConfig, deps: BoardListenerDeps) {
    const { devices, clock, log, refusals, secrets, useBoard } = deps
    const { device: address, watchers, takeOver } = config
    setMaxListeners(0, this.#stopping.signal)
    this.#config = config
    this.#deps = deps
    this.#away = new DeviceAway({ address, devices, clock, log, onChange() {}, onAway() {} })
    const firmware = new FirmwareVersion()
    void watchVersion(firmware, { address, devices, log, signal: this.#stopping.signal })
    this.#door = new BoardDoor({
      address,
      devices,
      clock,
      isPassword: createPasswordCheck(secrets.password),
      seats: { watchers, takeOver },
      away: this.#away,
      useBoard,
      firmware,
      refusals,
    })
  }

  /** Throws `listen_failed`; nothing is left running then. */
  async start(): Promise<void> {
    const { listen, device, watchers } = this.#config
    const maxClients = 1 + watchers + visitors
    try {
      this.#acceptor = await acceptClients(
        {
          listen,
          allow: null,
          maxClients,
          maxOfAddress: Math.ceil(maxClients / 2),
          what: `WebREPL of ${device}`,
          tls: this.#deps.secrets.tls,
        },
        { serve: (socket) => this.#serve(socket), onRefused: (socket, why) => this.#refused(socket, why) },
      )
    } catch (error) {
      this.#release()
      throw error
    }
  }

  /** The port is the real one when 0 was asked for. */
  get address(): ListenAddress {
    return this.#acceptor?.address ?? this.#config.listen
  }

  state(): ListenerState {
    return {
      endpoint: formatListenAddress(this.address),
      isSecure: this.#deps.secrets.tls !== null,
      device: this.#config.device,
      problem: this.#away.problem,
      clients: [...this.#connections].flatMap(({ peer, role }) => (role === null ? [] : [{ peer, role }])),
      totals: { ...this.#totals },
    }
  }

  /** Tells every client, and ends every connection, within 3 s. */
  async stop(): Promise<void> {
    this.#release()
    const closed = this.#acceptor?.close()
    for (const session of this.#sessions) session.stop()
    for (const { role, socket } of this.#connections) if (role === null) socket.destroySoon()
    await closed
  }

  #release(): void {
    this.#stopping.abort()
    this.#away[Symbol.dispose]()
  }

  async #serve(socket: Socket): Promise<void> {
    const { peers, log, answerPage, refusals } = this.#deps
    const peer = peerName(socket)
    const listener = formatListenAddress(this.address)
    const client = new ClientConnection({
      socket,
      peer,
      totals: this.#totals,
      log: log.child({ webrepl: listener, device: this.#config.device, peer }),
    })
    this.#connections.add(client)
    peers.watch(socket, () => {
      client.log.info("a client vanished: it acknowledged nothing any more")
      socket.destroy()
    })
    try {
      const { debug } = this.#config
      await serveVisitor(client, { door: this.#door, answerPage, refusals, debug, sessions: this.#sessions })
    } finally {
      this.#connections.delete(client)
      if (client.role !== null) client.log.info({ role: client.role }, "a client left")
    }
  }

  #refused(socket: Socket, why: Refusal): void {
    const reason = why === "share" ? "too many connections of this address" : "too many connections"
    this.#deps.refusals.report(
      socket.remoteAddress,
      new AppError("overloaded", `${this.#config.device}: ${reason}.`),
    )
  }
}
