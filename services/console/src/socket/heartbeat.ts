import type { Clock } from "@serialcast/primitives"
import type { WebSocket } from "ws"
import type { PacedSocket } from "./paced-socket.ts"

const pingEveryMs = 15_000

/**
 * Pings the client, and cuts it off when a whole interval brought no pong, no message and no progress. Progress counts
 * because a slow reader meets the ping only behind all that was sent before it.
 */
export function keepAlive(socket: WebSocket, paced: PacedSocket, clock: Clock): void {
  let isAlive = true
  const live = () => {
    isAlive = true
  }
  socket.on("pong", live)
  socket.on("message", live)
  paced.onProgress(live)

  const beat = () => {
    if (!isAlive) return socket.terminate()
    // While this side does not read, it cannot see a pong either.
    isAlive = socket.isPaused
    socket.ping()
    timer = clock.startTimer(pingEveryMs, beat)
  }
  let timer = clock.startTimer(pingEveryMs, beat)
  paced.closed.addEventListener("abort", () => timer.cancel())
}
