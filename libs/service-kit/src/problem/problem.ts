import type { ServerResponse } from "node:http"
import type { AppError, ErrorCode } from "@serialcast/contract"

/** RFC 9457 problem document, with the catalogue's code and advice. */
export interface ProblemDocument {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: ErrorCode
  readonly detail: string
  readonly fix: string
}

export function problemDocument(error: AppError): ProblemDocument {
  const { code, status, fix } = error
  return {
    type: `urn:serialcast:error:${code}`,
    title: titleOf(code),
    status,
    code,
    // What went wrong inside is for the log, not for whoever asked.
    detail:
      code === "internal" ? "Something unforeseen happened inside the service." : error.toWire().message,
    fix,
  }
}

/**
 * Ends `response` with the error as a problem document; one that has begun already can only be cut. One that was ended
 * stays as it is: a request whose body is malformed is answered while its handler is still at work.
 */
export function sendProblem(response: ServerResponse, error: AppError): void {
  if (response.writableEnded) return
  if (response.headersSent) {
    response.destroy()
    return
  }
  response.writeHead(error.status, problemHead(error))
  response.end(problemText(error))
}

/** The headers of an error's problem document. */
export function problemHead(error: AppError): Readonly<Record<string, string | number>> {
  return {
    "Content-Type": "application/problem+json",
    "Content-Length": Buffer.byteLength(problemText(error)),
    "Cache-Control": "no-store",
    // RFC 9110 §11.6.1: a 401 names the scheme.
    ...(error.status === 401 ? { "WWW-Authenticate": "Bearer" } : {}),
  }
}

/** An error's problem document as it is sent. */
export function problemText(error: AppError): string {
  return JSON.stringify(problemDocument(error))
}

/** `bad_hex` → `Bad hex` */
function titleOf(code: ErrorCode): string {
  const words = code.replaceAll("_", " ")
  return words.charAt(0).toUpperCase() + words.slice(1)
}
