/*
 *   client ─→ Rfc2217Server ─→ data ─────→ deviceReads (bounded: what is not read stops the client)
 *                           ─→ requests ─→ values
 *   client ←─ answers, lines, deviceWrites
 */
import { once } from "node:events"
import { type AddressInfo, createServer, type Server, type Socket } from "node:net"
import { concatBytes, createWakeup, systemClock, type Wakeup } from "@serialcast/primitives"
import { type PortAnswer, type PortRequest, type PortValues, Rfc2217Server } from "@serialcast/rfc2217"

// As much as a server's own buffer.
const maxUnreadBytes = 64 * 1024

const initial: PortValues = {
  baudRate: 9_600,
  dataBits: 8,
  parity: "none",
  stopBits: 1,
  flowControl: "none",
  inboundFlowControl: "none",
  break: false,
  dtr: true,
  rts: true,
}

/** The server that the project's own tunnels speak, on a socket, in front of a device that a test plays. */
export class TestCoreServer implements AsyncDisposable {
  #listener: Server | null = null
  #port = 0
  #socket: Socket | null = null
  #server = new Rfc2217Server({ signature: "test" })
  #unread: Uint8Array = new Uint8Array(0)
  readonly #news: Wakeup = createWakeup()
  /** In force. */
  values: PortValues = initial
  readonly purges: string[] = []

  static async start(): Promise<TestCoreServer> {
    const core = new TestCoreServer()
    await core.listen()
    return core
  }

  get url(): string {
    return `rfc2217://127.0.0.1:${this.#port}`
  }

  /** Listens, again at the same address. */
  async listen(): Promise<void> {
    const listener = createServer((socket) => this.#accept(socket))
    await once(listener.listen(this.#port, "127.0.0.1"), "listening")
    this.#listener = listener
    // A TCP server has a port.
    this.#port = (listener.address() as AddressInfo).port
  }

  /** Ends the connection, and listens no more. */
  async stop(): Promise<void> {
    const listener = this.#listener
    if (listener === null) return
    this.#listener = null
    const closed = once(listener, "close")
    listener.close()
    this.#socket?.destroy()
    await closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** The next `count` bytes that the device gets. */
  async deviceReads(count: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = []
    for (let missing = count; missing > 0; ) {
      const part = this.#unread.slice(0, missing)
      this.#unread = this.#unread.slice(part.byteLength)
      parts.push(part)
      missing -= part.byteLength
      this.#socket?.resume()
      const timeout = { clock: systemClock, ms: 10_000 }
      if (missing > 0 && (await this.#news.wait({ timeout })) !== "woken")
        throw new Error(`the device got ${missing} of ${count} bytes too little`)
    }
    return concatBytes(parts)
  }

  /** Resolves when the client's system has taken them. Nothing happens while no client is there. */
  async deviceWrites(bytes: Uint8Array): Promise<void> {
    const socket = this.#socket
    if (socket?.writable)
      await new Promise((resolve) => socket.write(this.#server.encodeData(bytes), resolve))
  }

  /** Tells the lines that the device drives. */
  drive(lines: { readonly cts: boolean }): void {
    this.#socket?.write(this.#server.notifyModemState(lines))
  }

  #accept(socket: Socket): void {
    const server = new Rfc2217Server({ signature: "test" })
    this.#socket = socket
    this.#server = server
    this.#unread = new Uint8Array(0)
    socket.setNoDelay().on("error", () => {})
    socket.write(server.open())
    socket.on("data", (segment: Uint8Array) => {
      const { events, reply } = server.receive(segment)
      if (socket.writable) socket.write(reply)
      for (const event of events) {
        if (event.kind === "data") this.#take(event.bytes)
        else if (event.kind === "request") socket.write(server.answer(this.#answer(event.request)))
        else if (event.kind === "agreed") socket.write(server.notifyModemState({ cts: true }))
      }
    })
  }

  #take(bytes: Uint8Array): void {
    this.#unread = concatBytes([this.#unread, bytes])
    if (this.#unread.byteLength > maxUnreadBytes) this.#socket?.pause()
    this.#news.wake()
  }

  #answer(request: PortRequest): PortAnswer {
    switch (request.kind) {
      case "purge":
        this.purges.push(request.value)
        return request
      case "modemState":
        return { kind: "modemState", lines: {} }
      case "lineState":
        return { kind: "lineState", state: {} }
      default: {
        const { kind, value } = request
        if (value !== null) this.values = { ...this.values, [kind]: value }
        // The value of this kind; TypeScript does not follow the key into the union.
        return { kind, value: this.values[kind] } as PortAnswer
      }
    }
  }
}
