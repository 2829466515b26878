import type { ServerResponse } from "node:http"
import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import { type Clock, concatBytes, systemClock } from "@serialcast/primitives"
import { type Answer, textAnswer } from "../answer/answer.ts"

/** What Node says of a connection whose bytes are no HTTP, or do not come. */
export interface ClientError extends Error {
  readonly code?: string
  /** What came last, and how much of it the parser took. */
  readonly rawPacket?: Uint8Array
  readonly bytesParsed?: number
}

const method = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ /
const requestLine = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ \S+ HTTP\/\d\.\d$/

/** undefined: there is nobody to answer. */
export function answerToError(error: ClientError, bytesRead: number): Answer | undefined {
  const { code = "" } = error
  // Browsers open connections ahead of need.
  if (bytesRead === 0) return undefined
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return closing(408, "Send the whole request in time.")
    case "HPE_HEADER_OVERFLOW":
      return isInRequestLine(error, bytesRead)
        ? closing(414, "Shorten the address.")
        : closing(431, "Send fewer or shorter headers.")
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return closing(413, "Send chunks without extensions.")
    case "HPE_INVALID_VERSION":
    case "HPE_PAUSED_H2_UPGRADE":
      return closing(505, "Use HTTP/1.1 or HTTP/1.0.")
    case "HPE_INVALID_METHOD":
      return requestLine.test(lineOf(error))
        ? closing(501, "Use GET, HEAD, PUT, POST, DELETE or OPTIONS.")
        : closing(400, "Speak HTTP/1.1: begin with a request line.")
    case "HPE_INVALID_EOF_STATE":
      return undefined
    default:
      return code.startsWith("HPE_") ? closing(400, `Send well-formed HTTP: ${error.message}.`) : undefined
  }
}

/** Ends a connection with this answer, once what came before is answered. */
export function endWith(socket: Socket, answer: Answer, clock: Clock = systemClock): void {
  const current = currentResponse(socket)
  if (current === null) return write(socket, answer, clock)
  // It is the body of this very request that is wrong.
  if (!current.req.complete && !current.headersSent) {
    current.writeHead(answer.status, answer.headers)
    current.end(answer.body)
    return
  }
  current.once("close", () => endWith(socket, answer, clock))
}

function closing(status: number, message: string): Answer {
  return textAnswer(status, message, { Connection: "close" })
}

const lingerMs = 1_000

function write(socket: Socket, { status, headers, body }: Answer, clock: Clock): void {
  if (!socket.writable) return void socket.destroy()
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  // A reason phrase says nothing to a program (RFC 9112 §4).
  const head = new TextEncoder().encode(`HTTP/1.1 ${status} \r\n${lines.join("")}\r\n`)
  socket.end(concatBytes([head, body]))
  linger(socket, clock)
}

/** Unread bytes would make its end a reset, which takes the answer from the client. */
function linger(socket: Duplex, clock: Clock): void {
  const timer = clock.startTimer(lingerMs, () => socket.destroy())
  socket.once("close", () => timer.cancel())
  socket.resume()
}

/** Of a request line that began in an earlier packet only its rest is here: what has no space in it is no header. */
function isInRequestLine(error: ClientError, bytesRead: number): boolean {
  const line = lineOf(error)
  const isRest = bytesRead > (error.rawPacket?.byteLength ?? 0)
  return (method.test(line) && !line.includes(": ")) || (isRest && /^[^\s:]+( HTTP\/\d\.\d)?$/.test(line))
}

/** The line of the packet in which the parser stands, as far as it is there. */
function lineOf({ rawPacket = new Uint8Array(0), bytesParsed = 0 }: ClientError): string {
  const text = Buffer.from(rawPacket.buffer, rawPacket.byteOffset, rawPacket.byteLength).toString("latin1")
  const start = text.lastIndexOf("\n", Math.max(0, bytesParsed - 1)) + 1
  return text.slice(start).split(/\r?\n/, 1)[0] ?? ""
}

/** The answer that is being made on a connection, where there is one. */
function currentResponse(socket: Socket): ServerResponse | null {
  // Node documents it for this very purpose (`clientError`), but has it not in its types.
  return (socket as { _httpMessage?: ServerResponse | null })._httpMessage ?? null
}
