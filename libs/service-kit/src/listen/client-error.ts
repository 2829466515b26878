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
  if (code === "HPE_HEADER_OVERFLOW")
    return new AppError("headers_too_large", "The request line and headers are too large.", { cause: error })
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
function hasSpaceInTarget({ rawPacket, bytesParsed = 0 }: ClientError): boolean {
  if (rawPacket === undefined) return false
  const text = Buffer.from(rawPacket.buffer, rawPacket.byteOffset, rawPacket.byteLength).toString("latin1")
  const start = text.lastIndexOf("\n", Math.max(0, bytesParsed - 1)) + 1
  const [line = ""] = text.slice(start).split(/\r?\n/, 1)
  return /^[A-Z]+ \S+ .*\S HTTP\/\d\.\d$/.test(line)
}

/** The answer that is being made on a connection, where there is one, as Node keeps it. */
export function responseOn(socket: Socket): ServerResponse | null {
  // Node documents it for this very purpose (`clientError`), but not in its types.
  return (socket as { _httpMessage?: ServerResponse | null })._httpMessage ?? null
}
