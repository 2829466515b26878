import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { TakenAtOnce } from "./taken-at-once.ts"

const kib = 1_024

test("each 64 KiB at once make a pause", () => {
  const taken = new TakenAtOnce(new FakeClock())
  const pauses = Array.from({ length: 9 }, () => taken.add(16 * kib))
  expect(pauses).toEqual([false, false, false, true, false, false, false, true, false])
})

test("one large part makes a pause by itself", () => {
  expect(new TakenAtOnce(new FakeClock()).add(64 * kib)).toBe(true)
})

test("what comes 100 ms later is not at once", () => {
  const clock = new FakeClock()
  const taken = new TakenAtOnce(clock)
  for (let n = 0; n < 100; n++) {
    expect(taken.add(63 * kib)).toBe(false)
    clock.advance(101)
  }
})

test("a pause for something else counts too", () => {
  const taken = new TakenAtOnce(new FakeClock())
  for (let n = 0; n < 100; n++) {
    expect(taken.add(63 * kib)).toBe(false)
    taken.paused()
  }
})
