import { type Clock, longAgo, msSince, type Timer, type Wakeup } from "@serialcast/primitives"

/** What serving a reader takes of a processor (10 to 20 µs measured, its socket included), twice over and more. */
const pauseMsForEach = 0.05

export interface PacedWakeDeps {
  readonly wakeup: Wakeup
  readonly clock: Clock
  /** How many are to be woken. */
  readonly readers: () => number
}

/**
 * A function that wakes the readers at once, or, when they were woken a moment ago, together for all that came in
 * meanwhile: a thousand of them every 50 ms, which leaves the processor half of its time; up to 19 are never held up.
 */
export function createPacedWake({ wakeup, clock, readers }: PacedWakeDeps): () => void {
  let lastMs = longAgo
  let timer: Timer | null = null

  function wake(): void {
    timer = null
    lastMs = clock.monotonicMs()
    wakeup.wake()
  }

  return () => {
    if (timer !== null) return
    const pauseMs = Math.floor(readers() * pauseMsForEach)
    const elapsedMs = msSince(clock, lastMs)
    if (elapsedMs >= pauseMs) wake()
    else timer = clock.startTimer(pauseMs - elapsedMs, wake)
  }
}
