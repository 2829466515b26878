import type { Socket } from "node:net"
import { AppError } from "@serialcast/contract"
import type { DeviceClient } from "@serialcast/device-stream"
import type { Clock } from "@serialcast/primitives"
import { type Logger, peerName, type Refusals } from "@serialcast/service-kit"
import type { UseBoard } from "../file-channel/board-files.ts"
import { FirmwareVersion } from "../from-board/firmware-version.ts"
import { defaultStaticHost, redirectAnswer, upgradeAnswer } from "../handshake/answers.ts"
import { createPasswordCheck } from "../login/password-check.ts"
import { maxPasswordBytes } from "../login/password-reader.ts"
import { BoardDoor } from "../session/board-door.ts"
import { ClientConnection } from "../session/client-connection.ts"
import { ClientSession } from "../session/client-session.ts"
import { endSocket } from "../session/frame-socket.ts"
import { readHead } from "../session/read-head.ts"
import { type ListenSocket, openListenSocket } from "./listen-socket.ts"

const defaultPort = 8266

export interface WebreplModuleDeps {
  /** `<gateway>/<device>`: the board whose REPL it is. */
  readonly device: string
  /** Stays the caller's. */
  readonly devices: DeviceClient
  readonly clock: Clock
  readonly log: Logger
  readonly refusals: Refusals
  /** For files; `lendBoard` makes one. */
  readonly useBoard: UseBoard
  /** Gets the lines that the module prints on a board. */
  readonly print: (line: string) => void
  /** What `webrepl_cfg` holds on a board; null: there is none. */
  readonly cfg: { readonly PASS: string; readonly BASE?: string } | null
}

/** Called for each connection that can be accepted. */
export type AcceptHandler = (listenSocket: ListenSocket) => unknown

export interface StartOptions {
  /** Default: 8266. */
  readonly port?: number
  /** Default: every address of the machine, as on a board. */
  readonly host?: string
  /** Default: that of `cfg`, whose `BASE` is the static host then. */
  readonly password?: string | null
  /** null: in the foreground, until a client has upgraded. Default: `acceptConn`. */
  readonly acceptHandler?: AcceptHandler | null
}

/** A client that has upgraded. */
export interface Handshake {
  /** What came behind the head. */
  readonly rest: Uint8Array
  readonly hasOrigin: boolean
}

/**
 * MicroPython's module `webrepl`, for a board on a cable: what it does with the network, under its names in this language's
 * spelling. The REPL is the device's instead of the interpreter's own.
 */
export class WebreplModule {
  /** Not 0: heads of requests are printed, with the key and its answer. */
  DEBUG = 0
  /** Where the page comes from that `sendHtml` leads to. */
  staticHost = defaultStaticHost
  readonly #deps: WebreplModuleDeps
  #door: BoardDoor | null = null
  #listenSocket: ListenSocket | null = null
  #client: ClientConnection | null = null

  constructor(deps: WebreplModuleDeps) {
    this.#deps = deps
  }

  /** null: it does not listen. */
  get listenSocket(): ListenSocket | null {
    return this.#listenSocket
  }

  /** The client that has the REPL, logged in or not; null: nobody has. */
  get clientSocket(): Socket | null {
    return this.#client?.socket ?? null
  }

  /**
   * Stops what it did before, then listens. Without a password and without `cfg` it says so and throws `bad_config`; so it does
   * for one that nobody could give. In the foreground it resolves when a client has upgraded, or at `stop`.
   */
  async start(options: StartOptions = {}): Promise<void> {
    const { port = defaultPort, host = "*", password = null } = options
    const handler = options.acceptHandler === undefined ? this.acceptConn.bind(this) : options.acceptHandler
    await this.stop()
    this.#door = this.#createDoor(password ?? this.#configured())
    const onConnection = (socket: ListenSocket) => void this.#handle(handler, socket)
    const listenSocket = await openListenSocket({ host, port }, onConnection)
    this.#listenSocket = listenSocket
    this.#print(`WebREPL server started on http://${listenSocket.address.host}:${listenSocket.address.port}/`)
    if (handler !== null) {
      this.#print(`Started webrepl in ${password === null ? "normal" : "manual override"} mode`)
      return
    }
    this.#print("Starting webrepl in foreground mode")
    while (this.#listenSocket === listenSocket && !(await this.acceptConn(listenSocket)));
  }

  /** As `start` in the foreground. */
  async startForeground({ port, password }: Pick<StartOptions, "port" | "password"> = {}): Promise<void> {
    await this.start({
      ...(port === undefined ? {} : { port }),
      ...(password === undefined ? {} : { password }),
      acceptHandler: null,
    })
  }

  /** Takes the REPL from its client, and closes client and listener; without a close frame, as a board does. */
  async stop(): Promise<void> {
    const [client, listenSocket] = [this.#client, this.#listenSocket]
    this.#client = null
    this.#listenSocket = null
    client?.socket.destroy()
    await listenSocket?.close()
  }

  /**
   * Accepts one connection: true when it has upgraded and has the REPL. Who does not upgrade gets `sendHtml`; who does while
   * another client has the REPL is told and closed.
   */
  async acceptConn(listenSocket: ListenSocket): Promise<boolean> {
    const socket = await listenSocket.accept()
    if (socket === null) return false
    const peer = peerName(socket)
    const handshake = await this.serverHandshake(socket)
    if (handshake === null) {
      this.sendHtml(socket)
      return false
    }
    const door = this.#door
    if (door === null) return false
    const { log } = this.#deps
    const totals = { clients: 0, fromClients: 0, toClients: 0 }
    const client = new ClientConnection({ socket, peer, totals, log: log.child({ peer }) })
    client.hasOrigin = handshake.hasOrigin
    const session = new ClientSession(client, door)
    if (this.#client !== null) {
      this.#print(`\nConcurrent WebREPL connection from ${peer} rejected`)
      await session.refuse()
      return false
    }
    this.#print(`\nWebREPL connection from: ${peer}`)
    this.#client = client
    void this.#serve(session, client, handshake.rest)
    return true
  }

  /** Reads a head, and answers an upgrade. null, and nothing was sent: it is none, or the client ended before. */
  async serverHandshake(socket: Socket): Promise<Handshake | null> {
    const { clock } = this.#deps
    const closed = new AbortController()
    const close = () => closed.abort()
    socket.once("close", close)
    try {
      const read = await readHead(socket, { clock, signal: closed.signal })
      if (read === null) return null
      const { head, lines, rest } = read
      if (this.DEBUG !== 0) for (const line of lines) this.#print(line)
      if (head.webSocketKey === null) return null
      const answer = upgradeAnswer(head.webSocketKey)
      if (this.DEBUG !== 0) this.#print(new TextDecoder().decode(answer))
      socket.write(answer)
      return { rest, hasOrigin: head.hasOrigin }
    } catch (error) {
      // Too slow, or too large: it is no WebSocket.
      this.#deps.log.debug({ err: error }, "a head was not read")
      return null
    } finally {
      socket.off("close", close)
    }
  }

  /** Sends the document that leads to the page at `staticHost`, and closes. */
  sendHtml(socket: Socket): void {
    endSocket(socket, redirectAnswer(this.staticHost), this.#deps)
  }

  async #handle(handler: AcceptHandler | null, socket: ListenSocket): Promise<void> {
    try {
      await handler?.(socket)
    } catch (error) {
      this.#deps.log.error({ err: error }, "an accept handler failed")
    }
  }

  async #serve(session: ClientSession, client: ClientConnection, rest: Uint8Array): Promise<void> {
    try {
      await session.serve(rest)
    } catch (error) {
      this.#deps.log.error({ err: error }, "a client's session failed")
      client.socket.destroy()
    } finally {
      if (this.#client === client) this.#client = null
    }
  }

  #configured(): string {
    const { cfg } = this.#deps
    if (cfg !== null) {
      this.staticHost = cfg.BASE ?? this.staticHost
      return cfg.PASS
    }
    this.#print("WebREPL is not configured: give it a password, or `cfg`")
    throw new AppError("bad_config", "Expected a password for WebREPL, or `cfg` with `PASS`; found neither.")
  }

  #createDoor(password: string): BoardDoor {
    const { device, devices, clock, refusals, useBoard } = this.#deps
    const bytes = new TextEncoder().encode(password)
    if (bytes.byteLength > maxPasswordBytes || /[\r\n]/.test(password))
      throw new AppError(
        "bad_config",
        `Expected a password of at most ${maxPasswordBytes} bytes on one line; found another one.`,
      )
    return new BoardDoor({
      address: device,
      devices,
      clock,
      isPassword: createPasswordCheck(bytes),
      seats: { watchers: 0, takeOver: false },
      away: { problem: null },
      firmware: new FirmwareVersion(),
      refusals,
      useBoard,
    })
  }

  #print(line: string): void {
    this.#deps.print(line)
  }
}
