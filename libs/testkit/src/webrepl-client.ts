import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { connect as connectTls } from "node:tls"
import { concatBytes, createWakeup, systemClock } from "@serialcast/primitives"

/** What a wait may take, in milliseconds: a right server keeps it on a busy machine too. */
const patienceMs = 45_000

const heads = {
  /** As the official command-line client asks. */
  commandLine: (host: string) =>
    `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: foo\r\n\r\n`,
  /** As a browser asks for a page of another site. */
  page: (host: string) =>
    `GET /any HTTP/1.1\r\nHost: ${host}\r\nConnection: keep-alive, Upgrade\r\nPragma: no-cache\r\nUpgrade: websocket\r\n` +
    "Origin: http://micropython.org\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
    "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
}

export type WebreplClientKind = keyof typeof heads

/** One frame from the server. */
export interface ServerFrame {
  readonly opcode: number
  readonly payload: Uint8Array
}

/**
 * A WebREPL client over a real socket: as the command line (nothing masked, no origin) or the page (all masked, with one). It
 * checks what clients rely on: no mask, no fragments, text that is UTF-8.
 */
export class WebreplClient {
  readonly socket: Socket
  readonly #isMasked: boolean
  readonly #came = createWakeup()
  readonly #frames: ServerFrame[] = []
  #bytes: Uint8Array = new Uint8Array(0)
  #text = ""
  #binaryAt = 0
  #hasEnded = false
  #wasReset = false

  constructor(socket: Socket, kind: WebreplClientKind) {
    this.socket = socket
    this.#isMasked = kind === "page"
    socket.on("data", (bytes: Uint8Array) => this.#take(Uint8Array.from(bytes)))
    socket.on("error", () => {
      this.#wasReset = true
    })
    for (const event of ["end", "close"])
      socket.on(event, () => {
        this.#hasEnded = true
        this.#came.wake()
      })
  }

  /** All text frames joined. */
  get text(): string {
    return this.#text
  }

  get frames(): readonly ServerFrame[] {
    return this.#frames
  }

  /** The server has ended its side, or the connection is gone. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** The connection was reset, which takes from programs what they have not read. */
  get wasReset(): boolean {
    return this.#wasReset
  }

  send(opcode: number, payload: Uint8Array | string): void {
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload
    const size = bytes.byteLength
    const maskBit = this.#isMasked ? 0x80 : 0
    const length = size < 126 ? [maskBit | size] : [maskBit | 126, size >> 8, size & 0xff]
    const mask = this.#isMasked ? [1, 2, 3, 4] : []
    const payloadSent = this.#isMasked ? bytes.map((byte, at) => byte ^ (mask[at & 3] ?? 0)) : bytes
    this.socket.write(concatBytes([Uint8Array.of(0x80 | opcode, ...length, ...mask), payloadSent]))
  }

  sendText(text: string): void {
    this.send(1, text)
  }

  sendBinary(bytes: Uint8Array | string): void {
    this.send(2, bytes)
  }

  /** As a person on the page types: a frame for each key, LF as CR. */
  type(text: string): void {
    for (const key of text.replaceAll("\n", "\r")) this.sendText(key)
  }

  async untilText(expected: string | RegExp): Promise<void> {
    await this.#until(
      () => (typeof expected === "string" ? this.#text.includes(expected) : expected.test(this.#text)),
      `the text ${expected}`,
    )
  }

  /** The next binary frame. */
  async nextBinary(): Promise<Uint8Array> {
    const binaries = () => this.#frames.filter(({ opcode }) => opcode === 2)
    await this.#until(() => binaries().length > this.#binaryAt, "a binary frame")
    return binaries()[this.#binaryAt++]?.payload ?? new Uint8Array(0)
  }

  async untilFrame(opcode: number): Promise<Uint8Array> {
    await this.#until(
      () => this.#frames.some((frame) => frame.opcode === opcode),
      `a frame of kind ${opcode}`,
    )
    return this.#frames.find((frame) => frame.opcode === opcode)?.payload ?? new Uint8Array(0)
  }

  /** The server has ended its side. */
  async untilEnd(): Promise<void> {
    await this.#until(() => this.#hasEnded, "the end of the connection")
  }

  async #until(isThere: () => boolean, what: string): Promise<void> {
    const endMs = performance.now() + patienceMs
    while (!isThere()) {
      const leftMs = endMs - performance.now()
      const problem = this.#hasEnded ? "the connection ended" : leftMs <= 0 ? "it did not come" : null
      if (problem !== null)
        throw new Error(`expected ${what}: ${problem} after ${JSON.stringify(this.#text.slice(-500))}`)
      await this.#came.wait({ timeout: { clock: systemClock, ms: leftMs } })
    }
  }

  #take(bytes: Uint8Array): void {
    this.#bytes = concatBytes([this.#bytes, bytes])
    for (let frame = this.#nextFrame(); frame !== null; frame = this.#nextFrame()) {
      this.#frames.push(frame)
      if (frame.opcode === 1) this.#text += new TextDecoder("utf-8", { fatal: true }).decode(frame.payload)
    }
    this.#came.wake()
  }

  #nextFrame(): ServerFrame | null {
    const [first = 0, second = 0, high = 0, low = 0] = this.#bytes
    const headBytes = second === 126 ? 4 : 2
    const size = second === 126 ? (high << 8) | low : second
    if (this.#bytes.byteLength < 2 || this.#bytes.byteLength < headBytes + size) return null
    if ((first & 0xf0) !== 0x80 || second > 126) throw new Error(`a frame begins with ${first}, ${second}`)
    const payload = this.#bytes.slice(headBytes, headBytes + size)
    this.#bytes = this.#bytes.slice(headBytes + size)
    return { opcode: first & 0x0f, payload }
  }
}

/** Connects and upgrades; its socket is the caller's to destroy. `ca`: through TLS, with a certificate for localhost of this one. */
export async function connectWebrepl(
  endpoint: string,
  kind: WebreplClientKind = "commandLine",
  { ca }: { readonly ca?: string } = {},
): Promise<WebreplClient> {
  const url = new URL(`http://${endpoint}`)
  const at = { host: url.hostname.replaceAll(/[[\]]/g, ""), port: Number(url.port), allowHalfOpen: true }
  const socket = ca === undefined ? connect(at) : connectTls({ ...at, ca, servername: "localhost" })
  await once(socket, ca === undefined ? "connect" : "secureConnect")
  socket.write(heads[kind](endpoint))
  const head = await readHead(socket)
  if (!head.startsWith("HTTP/1.1 101 ")) throw new Error(head)
  return new WebreplClient(socket, kind)
}

/** Up to the empty line; what follows stays in the socket. */
async function readHead(socket: Socket): Promise<string> {
  let head = ""
  while (!head.endsWith("\r\n\r\n")) {
    const byte: Uint8Array | null = socket.read(1)
    if (byte !== null) head += String.fromCharCode(byte[0] ?? 0)
    else if (socket.readableEnded) return head
    else await Promise.race([once(socket, "readable"), once(socket, "end")])
  }
  return head
}
