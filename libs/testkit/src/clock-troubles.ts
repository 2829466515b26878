import type { FakeClock } from "./fake-clock.ts"

/**
 * What may happen to the time of day while something is waited for: a title that goes on from "on a machine", and what
 * makes it happen. For `test.each`: none of it may shorten or lengthen a wait.
 */
export const clockTroubles: readonly [title: string, befall: (clock: FakeClock) => void][] = [
  ["whose clock is set ahead by 5 s", (clock) => clock.step(5_000)],
  ["whose clock was at 1970 until it found the time", (clock) => clock.step(Date.UTC(2026, 0, 1))],
  ["whose clock is set back by an hour", (clock) => clock.step(-3_600_000)],
  ["that is suspended for an hour", (clock) => clock.suspend(3_600_000)],
]
