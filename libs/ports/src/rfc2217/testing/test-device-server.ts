import { once } from "node:events"
import { type AddressInfo, createServer, type Server, type Socket } from "node:net"
import { setImmediate as nextTurn } from "node:timers/promises"
import { concatBytes, decodeHex, encodeHex } from "@serialcast/primitives"
import { TelnetDecoder } from "@serialcast/rfc2217"
import { eventually } from "@serialcast/testkit"
import { onTestFinished } from "vitest"

/** What a server does that others do not. Numbers and bodies are those of RFC 2217, in hex. */
export interface ServerHabits {
  /** What it sends at once; default `fffd2c`, DO COM-PORT. */
  readonly opening?: string
  /** The answer to a request; undefined: that of a good server. Null: none. */
  readonly answer?: (body: string, server: TestDeviceServer) => string | null | undefined
  /** It writes each byte by itself. */
  readonly isByteByByte?: boolean
}

/** A device server with habits of its own, for as long as the test runs. */
export class TestDeviceServer {
  readonly #server: Server
  readonly #habits: ServerHabits
  readonly #data: Uint8Array[] = []
  #sockets: Socket[] = []
  #lastSend: Promise<void> = Promise.resolve()
  #signsOfLife = 0
  /** Bodies of the requests that came, in hex. */
  readonly requests: string[] = []
  /** Bit/s, in force. */
  rate = 9_600

  static async start(habits: ServerHabits = {}): Promise<TestDeviceServer> {
    const server = createServer()
    await once(server.listen(0, "127.0.0.1"), "listening")
    const device = new TestDeviceServer(server, habits)
    onTestFinished(() => device.#stop())
    return device
  }

  private constructor(server: Server, habits: ServerHabits) {
    this.#server = server
    this.#habits = habits
    server.on("connection", (socket) => this.#accept(socket))
  }

  get url(): string {
    return `rfc2217://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get connections(): number {
    return this.#sockets.filter((socket) => !socket.closed).length
  }

  /** Data that came so far, undoubled. */
  get received(): Uint8Array {
    return Uint8Array.from(concatBytes(this.#data))
  }

  /** Sends these bytes, hex, to the newest client. */
  async send(hex: string): Promise<void> {
    const bytes = decodeHex(hex) ?? new Uint8Array(0)
    const turn = this.#lastSend.then(async () => {
      const socket = this.#sockets.at(-1)
      if (!this.#habits.isByteByByte) socket?.write(bytes)
      else
        for (const byte of bytes) {
          socket?.write(Uint8Array.of(byte))
          await nextTurn()
        }
    })
    this.#lastSend = turn
    await turn
  }

  /** Resolves when the newest client has taken all that was sent to it: it answers AYT with NOP. */
  async untilHeard(): Promise<void> {
    const before = this.#signsOfLife
    await this.send("fff6")
    await eventually(() => {
      if (this.#signsOfLife === before) throw new Error("the client shows no sign of life")
    })
  }

  /** Reads nothing more from the newest client. */
  async stopReading(): Promise<void> {
    const socket = await eventually(() => {
      const newest = this.#sockets.at(-1)
      if (newest === undefined) throw new Error("nobody connected")
      return newest
    })
    socket.pause()
  }

  hangUp(): void {
    this.#sockets.at(-1)?.end()
  }

  #accept(socket: Socket): void {
    const decoder = new TelnetDecoder()
    this.#sockets.push(socket)
    socket.setNoDelay().on("error", () => {})
    socket.on("data", (bytes: Uint8Array) => {
      for (const event of decoder.decode(Uint8Array.from(bytes))) {
        if (event.kind === "data") this.#data.push(event.bytes)
        else if (event.kind === "command") this.#signsOfLife++
        else if (event.kind === "subnegotiation") this.#answer(encodeHex(event.body).toLowerCase())
      }
    })
    void this.send(this.#habits.opening ?? "fffd2c")
  }

  #answer(body: string): void {
    this.requests.push(body)
    const own = this.#habits.answer?.(body, this)
    const answer = own === undefined ? this.#goodAnswer(body) : own
    if (answer !== null) void this.send(asSubnegotiation(answer))
  }

  #goodAnswer(body: string): string {
    const command = Number.parseInt(body.slice(0, 2), 16)
    const asked = body.slice(2)
    if (command === 1 && asked !== "00000000") this.rate = Number.parseInt(asked, 16)
    const value = command === 1 ? this.rate.toString(16).padStart(8, "0") : asked
    // Queries for DTR and RTS (RFC 2217, SET-CONTROL 7 and 10): both are on.
    const state = { "0507": "08", "050a": "0b" }[body] ?? value
    return (command + 100).toString(16) + state
  }

  async #stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, "close")
  }
}

/** A body between IAC SB and IAC SE; it has no ff. */
export function asSubnegotiation(body: string): string {
  return `fffa2c${body}fff0`
}
