import { expect, test } from "vitest"
import { createClock } from "./clock.ts"
import { after, earliest, latest, longAgo, msSince, msUntil, never } from "./monotonic.ts"

const clock = createClock({ wallMs: () => 0, monotonicMs: () => 1_000.5 })
const now = clock.monotonicMs()

test("what is ahead is waited for, and what has come is not waited for at all", () => {
  expect(msUntil(clock, after(now, 20))).toBe(20)
  expect(msUntil(clock, now)).toBe(0)
  expect(msUntil(clock, after(now, -20))).toBe(0)
  expect([msUntil(clock, longAgo), msUntil(clock, never)]).toEqual([0, Infinity])
})

test("what is past is measured, to the fraction", () => {
  expect(msSince(clock, after(now, -0.25))).toBe(0.25)
  expect(msSince(clock, longAgo)).toBe(Infinity)
})

test("of several times the first and the last are such times again", () => {
  const [soon, late] = [after(now, 1), after(now, 2)]
  expect([earliest(late, soon, never), latest(longAgo, late, soon)]).toEqual([soon, late])
})
