import type { IncomingMessage, ServerResponse } from "node:http"
import type { Clock } from "@serialcast/primitives"

/** Long enough to read an answer, which the end of a connection with unread bytes would take from the client. */
const lingerMs = 1_000

/** What may still come of a body that nobody wants, in bytes: what was on its way when the answer went. */
const mostBytes = 1024 * 1024

/**
 * What comes of a request after its answer is dropped. When that takes long, or is much, its connection ends: the client was
 * told, and goes on sending for nothing.
 */
export function endUnfinished(request: IncomingMessage, response: ServerResponse, clock: Clock): void {
  const { socket } = request
  let bytes = 0
  const count = (piece: Uint8Array) => {
    bytes += piece.byteLength
    if (bytes > mostBytes) socket.destroy()
  }
  // Just before Node would begin to discard it without a word.
  response.once("prefinish", () => {
    if (!request.complete) request.on("data", count)
  })
  response.once("finish", () => {
    if (request.complete) return
    const timer = clock.startTimer(lingerMs, () => socket.destroy())
    const over = () => {
      timer.cancel()
      socket.off("close", over)
    }
    request.once("end", over)
    socket.once("close", over)
  })
}
