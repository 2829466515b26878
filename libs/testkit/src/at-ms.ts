import type { MonotonicMs } from "@serialcast/primitives"

/** A monotonic time as a plain number says it: for what is told the time instead of asking a clock. */
export function atMs(ms: number): MonotonicMs {
  // Tests make times up.
  return ms as MonotonicMs
}
