import { expect, test } from "vitest"
import { systemClock as clock } from "./clock.ts"
import { after, msSince, msUntil } from "./monotonic.ts"
import type { MonotonicMs, WallMs, WallUs } from "./time-kinds.ts"

/** Each line that is to be refused: `tsc` fails when it is not. */
function mistakes(): readonly number[] {
  // @ts-expect-error: a stamp is no deadline.
  const deadline: MonotonicMs = clock.nowMs()
  // @ts-expect-error: what counts from the start of the machine is no time of day.
  const stamp: WallMs = clock.monotonicMs()
  // @ts-expect-error: microseconds are no milliseconds.
  const coarse: WallMs = clock.nowUs()
  // @ts-expect-error: nor the other way round.
  const fine: WallUs = clock.nowMs()
  // @ts-expect-error: a bare number may be of any clock.
  const bare: MonotonicMs = 1_000
  // @ts-expect-error: a duration is no time.
  const duration: WallMs = 2 * clock.nowMs()
  // @ts-expect-error: the time of day measures nothing.
  const measured = msSince(clock, clock.nowMs())
  // @ts-expect-error: nor is it waited for.
  const waited = msUntil(clock, after(clock.nowMs(), 1_000))
  return [deadline, stamp, coarse, fine, bare, duration, measured, waited]
}

test("times of different kinds are not taken for one another", () => {
  expect(mistakes).toBeInstanceOf(Function)
})

test("every time is a number to whoever reads it", () => {
  const stamps: readonly number[] = [clock.nowMs(), clock.nowUs(), clock.monotonicMs()]
  expect(stamps.every(Number.isFinite)).toBe(true)
})
