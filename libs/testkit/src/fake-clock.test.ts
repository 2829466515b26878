import { delay } from "@serialcast/primitives"
import { expect, test } from "vitest"
import { FakeClock } from "./fake-clock.ts"

test("timers fire in the order of their times, each at its own time, those started on the way included", () => {
  const clock = new FakeClock(1_000)
  const fired: string[] = []
  clock.startTimer(20, () => fired.push(`late ${clock.nowMs()}`))
  clock.startTimer(10, () => {
    fired.push(`early ${clock.nowMs()}`)
    clock.startTimer(5, () => fired.push(`between ${clock.nowMs()}`))
  })
  clock.startTimer(10, () => fired.push(`early too ${clock.nowMs()}`))
  clock.startTimer(30, () => fired.push("beyond"))
  clock.advance(25)
  expect(fired).toEqual(["early 1010", "early too 1010", "between 1015", "late 1020"])
  expect([clock.nowMs(), clock.nowUs(), clock.pendingTimers]).toEqual([1_025, 1_025_000, 1])
})

test("a cancelled timer does not fire", () => {
  const clock = new FakeClock()
  clock.startTimer(1, () => expect.unreachable()).cancel()
  clock.advance(2)
  expect(clock.pendingTimers).toBe(0)
})

test("advanceAsync lets a loop over delays run through", async () => {
  const clock = new FakeClock(0)
  const seen: number[] = []
  const loop = (async () => {
    for (let round = 0; round < 3; round++) {
      await delay(clock, 100)
      seen.push(clock.nowMs())
    }
  })()
  await clock.advanceAsync(300)
  await loop
  expect(seen).toEqual([100, 200, 300])
})
