import type { IncomingMessage } from "node:http"
import { AppError } from "@serialcast/contract"
import type { Clock } from "@serialcast/primitives"
import { readBody } from "@serialcast/resources"

const bodyTimeoutMs = 5_000
const bodyDeadlineMs = 60_000

export interface WholeBodyDeps {
  readonly clock: Clock
  /** In bytes. */
  readonly maxBody: number
}

/** The body of a request. Throws `too_large`, `too_slow`, and `cancelled` when its client is gone. */
export async function readWhole(
  { request, beforeBody }: { readonly request: IncomingMessage; readonly beforeBody: () => void },
  { clock, maxBody }: WholeBodyDeps,
): Promise<Uint8Array> {
  if (Number(request.headers["content-length"] ?? 0) > maxBody) throw tooLarge(maxBody)
  beforeBody()
  const limits = { clock, maxBytes: maxBody, timeoutMs: bodyTimeoutMs, deadlineMs: bodyDeadlineMs }
  const body = await readBody(request, limits)
  switch (body.kind) {
    case "whole":
      return body.bytes
    case "tooLarge":
      throw tooLarge(maxBody)
    case "stalled":
      throw new AppError("too_slow", "Send the body without a pause: it did not come in time.")
    case "cut":
      throw new AppError("cancelled", "The client is gone.")
  }
}

function tooLarge(maxBody: number): AppError {
  return new AppError("too_large", `A body has at most ${maxBody} bytes here.`)
}
