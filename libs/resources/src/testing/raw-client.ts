import { once } from "node:events"
import { connect as connectTcp, type Socket } from "node:net"
import { connect as connectTls } from "node:tls"
import { onTestFinished } from "vitest"

/** An answer as it came, byte for byte. */
export interface RawAnswer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** A client that says what it is told to, be it HTTP or not. */
export class RawClient {
  readonly socket: Socket
  readonly closed: Promise<unknown>
  #text = ""
  #isEnded = false

  constructor(socket: Socket) {
    this.socket = socket
    this.closed = new Promise((resolve) => socket.once("close", resolve))
    socket.on("error", () => {})
    socket.once("end", () => (this.#isEnded = true))
    // As latin1, of which every byte is a character.
    socket.setEncoding("latin1").on("data", (part: string) => (this.#text += part))
  }

  /** What came and was not taken yet. */
  get text(): string {
    return this.#text
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  send(text: string | Uint8Array): void {
    this.socket.write(text)
  }

  /** The next answer; without a body where `isHead`, or where the status has none. */
  async answer(isHead = false): Promise<RawAnswer> {
    for (;;) {
      const taken = takeAnswer(this.#text, isHead)
      if (taken !== undefined) {
        this.#text = taken.rest
        return taken.answer
      }
      if (this.#isEnded || this.socket.destroyed)
        throw new Error(`no whole answer came: ${JSON.stringify(this.#text)}`)
      await Promise.race([once(this.socket, "data"), once(this.socket, "end"), this.closed])
    }
  }

  /** Sends a request and takes its answer. */
  async ask(text: string | Uint8Array): Promise<RawAnswer> {
    this.send(text)
    return await this.answer(String(text).startsWith("HEAD "))
  }
}

function takeAnswer(text: string, isHead: boolean): { answer: RawAnswer; rest: string } | undefined {
  const headEnd = text.indexOf("\r\n\r\n")
  if (headEnd < 0) return undefined
  const [statusLine = "", ...lines] = text.slice(0, headEnd).split("\r\n")
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1])
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(":")
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
    }),
  )
  const hasBody = !isHead && status !== 204 && status !== 304 && status >= 200
  const length = hasBody ? Number(headers.get("content-length")) : 0
  const start = headEnd + 4
  if (text.length < start + length) return undefined
  return {
    answer: { status, headers, body: text.slice(start, start + length) },
    rest: text.slice(start + length),
  }
}

/** `allowHalfOpen`: the end of the server is not answered with its own. */
export async function connectRaw(
  port: number,
  { isTls = false, allowHalfOpen = false } = {},
): Promise<RawClient> {
  const to = { port, host: "127.0.0.1", allowHalfOpen }
  // The certificate of a test is nobody's.
  const socket = isTls ? connectTls({ ...to, rejectUnauthorized: false }) : connectTcp(to)
  const client = new RawClient(socket)
  onTestFinished(() => void socket.destroy())
  await once(socket, isTls ? "secureConnect" : "connect")
  return client
}
