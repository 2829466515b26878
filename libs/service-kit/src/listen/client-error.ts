import type { ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { AppError } from "@serialcast/contract"
import { problemHead, problemText, sendProblem } from "../problem/problem.ts"
import { lingerAndCut } from "./linger.ts"

/** What Node says of a connection that is no HTTP, or too slow. */
export interface ClientError extends Error {
  readonly code?: string
  /** The parser's own words. */
  readonly reason?: string
  /** What came last, and how much of it the parser took. */
  readonly rawPacket?: Uint8Array
  readonly bytesParsed?: number
}

/** What to tell the client; null when the connection itself is gone, or was never used. */
export function problemOf(error: ClientError, { bytesRead }: Pick<Socket, "bytesRead">): AppError | null {
  const { code = "", reason, message } = error
  // Browsers open connections that they may need, and are told nothing when they did not.
  if (bytesRead === 0) return null
  if (code === "ERR_HTTP_REQUEST_TIMEOUT")
    return new AppError("too_slow", "The request did not come in time.", { cause: error })
  if (code === "HPE_HEADER_OVERFLOW") {
    return isInRequestLine(error, bytesRead)
      ? new AppError("uri_too_long", "The address in the request line is too long.", { cause: error })
      : new AppError("headers_too_large", "The request line and headers are too large.", { cause: error })
  }
  if (code === "HPE_CHUNK_EXTENSIONS_OVERFLOW")
    return new AppError("too_large", "The extensions of the body's chunks are too large.", { cause: error })
  // The client ended in the middle of a request: nobody waits for an answer.
  if (!code.startsWith("HPE_") || code === "HPE_INVALID_EOF_STATE") return null
  if (hasSpaceInTarget(error)) {
    return new AppError(
      "bad_request",
      "The address in the request line has a space in it: percent-encode it as %20; hex digits after /writebytes/ have none between them.",
      { cause: error },
    )
  }
  return new AppError("bad_request", `This is not HTTP as expected: ${reason ?? message}.`, { cause: error })
}

/**
 * Ends a connection with what is wrong with it, once what came before is answered. Where an answer is on its way that goes on
 * for ever, or that is of the very request whose body is wrong, there is no place for another one.
 */
export function endWithProblem(socket: Socket, problem: AppError): void {
  const response = responseOn(socket)
  if (response === null) return answer(socket, problem)
  const isOfNext = response.req.complete
  if (!isOfNext || (response.headersSent && !response.writableEnded)) return sendProblem(response, problem)
  response.once("close", () => endWithProblem(socket, problem))
}

function answer(socket: Socket, problem: AppError): void {
  if (!socket.writable) return void socket.destroy()
  const head = Object.entries({ ...problemHead(problem), Connection: "close" })
  const lines = head.map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${problem.status} ${problem.code}\r\n${lines.join("")}\r\n${problemText(problem)}`)
  lingerAndCut(socket)
}

/** Whether a request line of the packet has more than a method, a target and a version. */
function hasSpaceInTarget(error: ClientError): boolean {
  return /^[A-Z]+ \S+ .*\S HTTP\/\d\.\d$/.test(lineAt(error).line)
}

/**
 * Whether the parser stands in a request line. Of one that began in an earlier packet only the rest is here: what has no
 * space in it, but for the version's, is a target's; a header of that length hardly ever is without.
 */
function isInRequestLine(error: ClientError, bytesRead: number): boolean {
  const { line, start } = lineAt(error)
  if (/^[A-Z]+ /.test(line)) return true
  const isRest = start === 0 && bytesRead > (error.rawPacket?.byteLength ?? 0)
  return isRest && /^\S*( HTTP\/\d\.\d)?$/.test(line)
}

/** The line of the packet in which the parser stands, as far as it came, and where in the packet it starts. */
function lineAt({ rawPacket = new Uint8Array(0), bytesParsed = 0 }: ClientError): {
  line: string
  start: number
} {
  const text = Buffer.from(rawPacket.buffer, rawPacket.byteOffset, rawPacket.byteLength).toString("latin1")
  const start = text.lastIndexOf("\n", Math.max(0, bytesParsed - 1)) + 1
  const [line = ""] = text.slice(start).split(/\r?\n/, 1)
  return { line, start }
}

/** The answer that is being made on a connection, where there is one, as Node keeps it. */
export function responseOn(socket: Socket): ServerResponse | null {
  // Node documents it for this very purpose (`clientError`), but not in its types.
  return (socket as { _httpMessage?: ServerResponse | null })._httpMessage ?? null
}
