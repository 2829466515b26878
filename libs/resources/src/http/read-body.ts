import type { IncomingMessage } from "node:http"
import { ByteQueue, type Clock, createWatchdog } from "@serialcast/primitives"

export interface BodyLimits {
  readonly clock: Clock
  readonly maxBytes: number
  /** Between two pieces, in milliseconds. */
  readonly timeoutMs: number
  /** For all of it, in milliseconds. */
  readonly deadlineMs: number
}

export type Body =
  | { readonly kind: "whole"; readonly bytes: Uint8Array }
  | { readonly kind: "tooLarge" }
  /** Nothing came for too long. */
  | { readonly kind: "stalled" }
  /** The client is gone, or what it sends is no body. */
  | { readonly kind: "cut" }

/**
 * The body of a request, whatever pieces it comes in. What is held costs what it counts, also of pieces of one byte; what
 * comes beyond the limit is dropped as it comes. Never rejects.
 */
export function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Body> {
  const { clock, maxBytes, timeoutMs, deadlineMs } = limits
  const held = new ByteQueue()
  return new Promise((resolve) => {
    const watchdog = createWatchdog({ clock, timeoutMs, onSilence: () => end({ kind: "stalled" }) })
    const deadline = clock.startTimer(deadlineMs, () => end({ kind: "stalled" }))
    const take = (piece: Uint8Array) => {
      watchdog.tell()
      if (held.byteLength + piece.byteLength > maxBytes) end({ kind: "tooLarge" })
      else held.push(piece)
    }
    const finish = () => end(request.complete ? { kind: "whole", bytes: held.takeAll() } : { kind: "cut" })
    const end = (body: Body) => {
      watchdog[Symbol.dispose]()
      deadline.cancel()
      request.off("data", take).off("end", finish).off("close", finish)
      resolve(body)
    }
    request.on("data", take).on("end", finish).on("close", finish)
    if (request.destroyed) return finish()
    watchdog.tell()
  })
}
