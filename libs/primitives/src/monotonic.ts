import type { Clock } from "./clock.ts"
import type { MonotonicMs } from "./time-kinds.ts"

type MonotonicClock = Pick<Clock, "monotonicMs">

// What these casts say: arithmetic on monotonic times gives such times again, and forgets it.

/** Before everything: whatever was to be over since then is. */
export const longAgo = Number.NEGATIVE_INFINITY as MonotonicMs

/** After everything. */
export const never = Number.POSITIVE_INFINITY as MonotonicMs

/** The time `ms` after `startMs`, or before it when that is negative; Infinity: never. */
export function after(startMs: MonotonicMs, ms: number): MonotonicMs {
  return (startMs + ms) as MonotonicMs
}

/** The one that comes first. */
export function earliest(...times: readonly [MonotonicMs, ...MonotonicMs[]]): MonotonicMs {
  return Math.min(...times) as MonotonicMs
}

/** The one that comes last. */
export function latest(...times: readonly [MonotonicMs, ...MonotonicMs[]]): MonotonicMs {
  return Math.max(...times) as MonotonicMs
}

/** How long ago `startMs` was, in milliseconds with fractions. */
export function msSince(clock: MonotonicClock, startMs: MonotonicMs): number {
  return clock.monotonicMs() - startMs
}

/** How long to wait for `endMs`, in milliseconds with fractions; 0 once it has come. */
export function msUntil(clock: MonotonicClock, endMs: MonotonicMs): number {
  return Math.max(0, endMs - clock.monotonicMs())
}
