import type { IncomingMessage, ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import { systemClock } from "@serialcast/primitives"

/**
 * How long a client that was answered may go on sending, in milliseconds: long enough to read the answer, which the end of a
 * connection with unread bytes would take from it.
 */
const lingerMs = 1_000

/** Chunks that may come meanwhile: far more than a client needs for what is on its way, and little work for the parser. */
const mostChunks = 2_048

/** Ends the connection of a request that was answered before all of it came, unless the rest comes soon. */
export function endUnfinished(request: IncomingMessage, response: ServerResponse): void {
  // Before Node discards what comes without a word of it.
  response.once("prefinish", () => {
    let chunks = 0
    if (!request.complete) request.on("data", () => ++chunks > mostChunks && request.socket.destroy())
  })
  response.once("finish", () => {
    if (request.complete) return
    // A client that cannot send does not read either.
    request.resume()
    cutLater(request.socket, request)
  })
}

/** Discards what still comes in, until the client ends too; cuts it off when that takes too long. */
export function lingerAndCut(connection: Duplex): void {
  connection.resume()
  cutLater(connection)
}

function cutLater(connection: Duplex, request?: IncomingMessage): void {
  const timer = systemClock.startTimer(lingerMs, () => connection.destroy())
  const over = () => {
    timer.cancel()
    // A connection may have any number of such requests.
    connection.off("close", over)
  }
  connection.once("close", over)
  request?.once("end", over)
}
