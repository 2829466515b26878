import {
  type Clock,
  longAgo,
  msSince,
  type Timer,
  type Wakeup,
  wakeMsForEachReader,
} from "@serialcast/primitives"

export interface PacedWakeDeps {
  readonly wakeup: Wakeup
  readonly clock: Clock
  /** How many are to be woken. */
  readonly readers: () => number
}

/**
 * A function that wakes the readers at once, or, when they were woken a moment ago (`wakeMsForEachReader`), together for all
 * that came in meanwhile.
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
    const pauseMs = Math.floor(readers() * wakeMsForEachReader)
    const elapsedMs = msSince(clock, lastMs)
    if (elapsedMs >= pauseMs) wake()
    else timer = clock.startTimer(pauseMs - elapsedMs, wake)
  }
}
