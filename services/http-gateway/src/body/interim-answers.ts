import type { IncomingMessage, ServerResponse } from "node:http"
import type { Clock } from "@serialcast/primitives"

const everyMs = 1_000

/**
 * Answers `102 Processing` once a second until it is disposed, to a client whose `Expect: 100-continue` says that it
 * knows interim answers (others take them for the last one). A connection whose bytes nobody reads, because the device
 * is slow, does not tell that its other end has closed; an answer to it does: within two seconds the response closes.
 */
export function startInterimAnswers(
  request: IncomingMessage,
  response: ServerResponse,
  clock: Clock,
): Disposable {
  if (request.headers.expect?.toLowerCase() !== "100-continue") return { [Symbol.dispose]: () => {} }
  let timer = clock.startTimer(everyMs, answer)
  return { [Symbol.dispose]: () => timer.cancel() }

  function answer(): void {
    // A client that reads no answers before it has sent all must not make them pile up here.
    if (!request.socket.writableNeedDrain) response.writeProcessing()
    timer = clock.startTimer(everyMs, answer)
  }
}
