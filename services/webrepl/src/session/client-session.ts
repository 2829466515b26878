/*
 *   socket ─→ frame reader ─┬─ log-in ─→ seat
 *                           ├─ text ───→ terminal input ─→ board
 *                           └─ binary ─→ file server ⇄ files of the board
 *   socket ←─ frame socket ←── terminal feed, file server, notices
 */
import { setMaxListeners } from "node:events"
import { type AppError, toAppError } from "@serialcast/contract"
import { createDeferred, within } from "@serialcast/primitives"
import { readSocket } from "@serialcast/service-kit"
import { FileServer } from "../file-channel/file-server.ts"
import { closeCodes, type FrameEvent } from "../frames/frame.ts"
import { FrameReader } from "../frames/frame-reader.ts"
import { feedTerminal } from "../from-board/feed-terminal.ts"
import { accessDenied, loggedIn, passwordPrompt } from "../login/login-texts.ts"
import { PasswordReader } from "../login/password-reader.ts"
import { TerminalInput } from "../to-board/terminal-input.ts"
import type { BoardDoor } from "./board-door.ts"
import type { ClientConnection } from "./client-connection.ts"
import { FrameSocket } from "./frame-socket.ts"
import { onOneLine } from "./on-one-line.ts"
import type { Role, Seated } from "./seats.ts"

/** For a whole password, in milliseconds: a person has to find it. */
const loginMs = 120_000

/** How long a log-in waits for the place from which the board is shown, in milliseconds: an agent that is away tells none. */
const positionMs = 1_000

/**
 * What a transfer that is given up may take to let go of the board, and writes to be taken back, in milliseconds: an agent that
 * is away does not answer. They go on by themselves then.
 */
const leaveMs = 1_000

/** One upgraded connection, until its end. */
export class ClientSession implements Seated {
  readonly #client: ClientConnection
  readonly #door: BoardDoor
  readonly #frames = new FrameReader()
  readonly #output: FrameSocket
  readonly #password = new PasswordReader()
  /** Aborted when the connection is closed, or this side has ended it. */
  readonly #over = new AbortController()
  readonly #signal: AbortSignal
  #role: Role | null = null
  #input: TerminalInput | null = null
  #files: FileServer | null = null
  /** What runs for the client beside the reading. */
  readonly #work: Promise<void>[] = []

  constructor(client: ClientConnection, door: BoardDoor) {
    this.#client = client
    this.#door = door
    this.#output = new FrameSocket(client.socket, { clock: door.clock, signal: client.signal })
    this.#signal = AbortSignal.any([client.signal, this.#over.signal])
    // Everything that is done for the client ends with it: more than ten are no leak here.
    setMaxListeners(0, this.#signal)
  }

  /** Serves it until its end. `rest`: what came behind the head. */
  async serve(rest: Uint8Array): Promise<void> {
    if (this.#door.seats.isFull) return await this.refuse()
    await this.#output.sendText(passwordPrompt)
    using _timer = this.#door.clock.startTimer(loginMs, () => this.#giveUpLogin())
    try {
      await this.#take(rest)
      for await (const bytes of readSocket(this.#client.socket, this.#signal)) {
        await this.#take(bytes)
        if (this.#signal.aborted) break
      }
    } finally {
      this.#door.seats.leave(this)
      this.#end(closeCodes.normal, "good-bye")
      const leaving = Promise.all([...this.#work, this.#input?.[Symbol.asyncDispose]()])
      await within(leaving, { clock: this.#door.clock, timeoutMs: leaveMs })
    }
  }

  /** In place of serving it: there is no place for it. */
  async refuse(): Promise<void> {
    this.#door.reportBusy(this.#client.address)
    await this.#endWithNotice(closeCodes.policy, "the board is in use by another client")
  }

  displace(): void {
    void this.#endWithNotice(closeCodes.policy, "another client has taken over")
  }

  /** The service stops. */
  stop(): void {
    void this.#endWithNotice(closeCodes.goingAway, "the service stops")
  }

  async #take(bytes: Uint8Array): Promise<void> {
    for (const event of this.#frames.push(bytes)) {
      if (this.#signal.aborted) return
      await this.#handle(event)
    }
  }

  async #handle(event: FrameEvent): Promise<void> {
    switch (event.kind) {
      case "text":
      case "binary":
        return this.#role === null ? await this.#logIn(event) : await this.#takeData(event.kind, event.bytes)
      case "ping":
        return await this.#output.send("pong", event.payload)
      case "close":
        this.#output.endAnswered()
        return this.#over.abort()
      case "violation":
        return this.#end(event.code, event.message)
    }
  }

  async #takeData(kind: "text" | "binary", bytes: Uint8Array): Promise<void> {
    if (kind === "binary") return await this.#files?.push(bytes)
    if (this.#role === "watcher") return
    this.#client.countFrom(bytes.byteLength)
    await this.#input?.write(bytes)
  }

  async #logIn({ kind, bytes }: Extract<FrameEvent, { kind: "text" | "binary" }>): Promise<void> {
    const given = this.#password.push(bytes)
    if (given === null) return
    if (!this.#door.admits(given.password, this.#client.address)) {
      await this.#output.sendText(accessDenied)
      return this.#end(closeCodes.policy, "access denied")
    }
    this.#role = this.#door.seats.take(this)
    if (this.#role === null) return await this.refuse()
    await this.#begin(this.#role)
    // A LF behind the CR of the password is typed already.
    if (given.rest.byteLength > 0) await this.#takeData(kind, given.rest)
  }

  async #begin(role: Role): Promise<void> {
    const { door, client } = { door: this.#door, client: this.#client }
    client.loggedIn(role)
    this.#input = new TerminalInput({
      address: door.address,
      devices: door.devices,
      by: client.by,
      transfers: door.transfers,
      onRefused: (error) => void this.#notify(`not written: ${error.message}`),
      signal: this.#signal,
    })
    this.#files = this.#createFileServer(role)
    await this.#startFeed()
    if (role === "watcher") await this.#notify("another client has the board; this one watches")
    const { problem } = door.away
    if (problem !== null) await this.#notify(problem.message)
    this.#work.push(this.#guard(this.#files.run()))
  }

  /** Greets the client when whatever it types then has its echo shown. */
  async #startFeed(): Promise<void> {
    const { clock, devices, address } = this.#door
    const positioned = createDeferred<void>()
    const greeted = createDeferred<void>()
    this.#work.push(this.#guard(this.#feed(() => positioned.resolve(), greeted.promise)))
    // For a board that nobody has announced, none waits.
    if (devices.devices.get(address) !== undefined)
      await within(positioned.promise, { clock, timeoutMs: positionMs })
    await this.#output.sendText(loggedIn)
    greeted.resolve()
  }

  #createFileServer(role: Role): FileServer {
    const { door, client } = { door: this.#door, client: this.#client }
    return new FileServer({
      useBoard: (use, work) => door.use(role, use, work),
      version: () => door.version(),
      failurePlace: () => (this.#frames.isMasked && client.hasOrigin ? "final-response" : "first-response"),
      send: (payload) => this.#output.send("binary", payload),
      tellFailure: (about, error) => void this.#tellFailure(about, error),
      tellInterrupted: () =>
        void this.#notify("the program that ran was interrupted; Ctrl-D at the prompt starts main.py again"),
      transfers: door.transfers,
      clock: door.clock,
      signal: this.#signal,
    })
  }

  async #feed(onPositioned: () => void, greeted: Promise<void>): Promise<void> {
    const { devices, address, clock } = this.#door
    await this.#door.untilKnown(this.#signal)
    if (this.#signal.aborted) return
    await feedTerminal({
      device: devices.device(address),
      state: () => devices.devices.get(address),
      clock,
      onPositioned,
      send: async (text) => {
        await greeted
        await this.#output.send("text", text)
        this.#client.countTo(text.byteLength)
      },
      notify: async (sentence) => {
        await greeted
        await this.#notify(sentence)
      },
      signal: this.#signal,
    })
  }

  /** What fails beside the reading ends the connection. */
  async #guard(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (cause) {
      const error = toAppError(cause)
      if (error.code === "internal") this.#client.log.error({ err: cause }, "a client's session failed")
      await this.#endWithNotice(closeCodes.failed, error.message)
    }
  }

  async #tellFailure(about: string, error: AppError): Promise<void> {
    this.#client.log.info({ about, code: error.code, reason: error.message }, "a transfer failed")
    await this.#notify(`${about} failed. ${error.message}`)
  }

  /** Says what is not the board's: clients have no other place to show it. */
  async #notify(sentence: string): Promise<void> {
    await this.#output.sendText(`\r\n[serialcast: ${onOneLine(sentence)}]\r\n`)
  }

  #giveUpLogin(): void {
    if (this.#role === null) void this.#endWithNotice(closeCodes.policy, "no password came")
  }

  async #endWithNotice(code: number, sentence: string): Promise<void> {
    // Whoever waits for the prompt takes a colon and a space for it: there is none here, nor in what is said before a log-in.
    const text = this.#output.sendText(`\r\n[serialcast] ${onOneLine(sentence)}\r\n`)
    this.#end(code, sentence)
    await text
  }

  #end(code: number, reason: string): void {
    this.#output.end(code, reason)
    this.#over.abort()
  }
}
