import { type Clock, createWakeup, delay } from "@serialcast/primitives"
import type { PacedSocket } from "./paced-socket.ts"

/** Shortest time between two frames, in milliseconds: a list that changes faster than eyes read costs little. */
const settleMs = 100

export interface LatestOptions {
  readonly socket: PacedSocket
  readonly clock: Clock
  /** Calls `changed` at each change; answers the function that ends it. */
  readonly subscribe: (changed: () => void) => () => void
  /** The newest frame. */
  readonly latest: () => string
}

/** Sends the newest frame after changes until the socket is closed. Only the newest: nothing queues for a slow client. */
export async function sendLatest({ socket, clock, subscribe, latest }: LatestOptions): Promise<void> {
  const wakeup = createWakeup()
  let hasChanged = false
  const unsubscribe = subscribe(() => {
    hasChanged = true
    wakeup.wake()
  })
  try {
    while (!socket.closed.aborted) {
      if (!hasChanged) await wakeup.wait({ signal: socket.closed })
      if (socket.closed.aborted) return
      hasChanged = false
      await socket.send(latest())
      await delay(clock, settleMs, socket.closed)
    }
  } finally {
    unsubscribe()
  }
}
