import { clockTroubles, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { Allowance } from "./allowance.ts"

function takeAll(allowance: Allowance): number {
  let taken = 0
  while (taken < 1_000 && allowance.take()) taken += 1
  return taken
}

test("so many may be had at once, and then one after each time", () => {
  const clock = new FakeClock()
  const allowance = new Allowance({ burst: 16, refillMs: 1_000 }, clock)
  expect(takeAll(allowance)).toBe(16)
  clock.advance(999)
  expect(takeAll(allowance)).toBe(0)
  clock.advance(1)
  expect(takeAll(allowance)).toBe(1)
  clock.advance(3_600_000)
  expect(takeAll(allowance)).toBe(16)
})

test.each(clockTroubles)("on a machine %s it is the same", (_title, befall) => {
  const clock = new FakeClock()
  const allowance = new Allowance({ burst: 2, refillMs: 1_000 }, clock)
  expect(takeAll(allowance)).toBe(2)
  befall(clock)
  clock.advance(500)
  expect(takeAll(allowance)).toBe(0)
})
