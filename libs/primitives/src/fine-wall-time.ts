import type { ClockSources } from "./clock.ts"
import type { WallUs } from "./time-kinds.ts"

/**
 * Time of day in microseconds, though the platform tells it in milliseconds: within one of them the monotonic time goes on.
 * The distance between both is learned from call to call, and never takes the answer out of the millisecond that the
 * wall clock shows now; so a clock that was set is followed at once, and without that the answers never go back.
 */
export function createFineWallTime({ wallMs, monotonicMs }: ClockSources): () => WallUs {
  let distanceUs = 0
  return () => {
    const startUs = Math.floor(wallMs()) * 1_000
    // Whole numbers, so that no sum is rounded to the microsecond before.
    const passedUs = Math.floor(monotonicMs() * 1_000)
    const nowUs = Math.min(startUs + 999, Math.max(startUs, passedUs + distanceUs))
    distanceUs = nowUs - passedUs
    // It counts microseconds since 1970, which is what the type says.
    return nowUs as WallUs
  }
}
