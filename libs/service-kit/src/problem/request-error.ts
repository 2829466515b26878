import type { ServerResponse } from "node:http"
import { AppError, toAppError } from "@serialcast/contract"
import type { Logger } from "../log/logger.ts"
import { sendProblem } from "./problem.ts"

/** Answers what a request came to, as a problem document unless `send` has another form; what nobody foresaw is logged. */
export function answerError(
  error: unknown,
  response: ServerResponse,
  log: Pick<Logger, "error">,
  send: (response: ServerResponse, error: AppError) => void = sendProblem,
): void {
  // Answered already, as malformed, while it was worked on: there is nobody to answer.
  if (response.writableEnded) return
  const known = fromExpress(error)
  if (known.code === "internal") log.error({ err: error }, "a request failed")
  send(response, known)
}

/** Throws `method_not_allowed`, and names the methods that there are: RFC 9110 §15.5.6. */
export function refuseMethod(
  response: ServerResponse,
  { method, allow }: { method: string; allow: string },
): never {
  response.setHeader("Allow", allow)
  throw new AppError("method_not_allowed", `${method} is not possible here; expected ${allow}.`)
}

/** Express, its parsers and its files throw errors of their own for what clients do wrong, with the status in them. */
function fromExpress(cause: unknown): AppError {
  const status = cause instanceof Error && "status" in cause ? cause.status : undefined
  if (cause instanceof AppError || !(cause instanceof Error) || typeof status !== "number")
    return toAppError(cause)
  if (status === 413)
    return new AppError("too_large", "The body is larger than what may be asked here.", { cause })
  if (status === 404) return new AppError("unknown_path", "There is no such file.", { cause })
  return status < 500 ? new AppError("bad_request", cause.message, { cause }) : toAppError(cause)
}
