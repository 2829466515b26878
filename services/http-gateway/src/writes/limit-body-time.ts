import type { Clock } from "@serialcast/primitives"
import type { RequestHandler } from "express"

// As Node's own limit, which holds for all requests of a server, and would cut streamed writes too.
const bodyMs = 300_000

/** Destroys a request whose body has not come in within five minutes: it holds memory for as long. */
export function limitBodyTime(clock: Clock): RequestHandler {
  return (request, _response, next) => {
    const timer = clock.startTimer(bodyMs, () => request.destroy())
    for (const event of ["end", "close"]) request.once(event, () => timer.cancel())
    next()
  }
}
