import { delay } from "@serialcast/primitives"
import { expect, test } from "vitest"
import { clockTroubles } from "./clock-troubles.ts"
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

test("the monotonic time starts at 0 and goes on with the time of day", () => {
  const clock = new FakeClock(5_000)
  clock.advance(1.5)
  expect([clock.monotonicMs(), clock.nowUs()]).toEqual([1.5, 5_001_500])
})

test.each(clockTroubles)(
  "on a machine %s the time of day jumps, and timers fire at their times",
  (_title, befall) => {
    const clock = new FakeClock()
    const startMs = clock.nowMs()
    const fired: number[] = []
    clock.startTimer(100, () => fired.push(clock.monotonicMs()))
    clock.advance(40)
    befall(clock)
    expect(clock.monotonicMs()).toBe(40)
    expect(clock.nowMs()).not.toBe(startMs + 40)
    clock.advance(59)
    expect(fired).toEqual([])
    clock.advance(1)
    expect(fired).toEqual([100])
  },
)

test("a wait that is left by a rounding is over in the end", () => {
  const clock = new FakeClock()
  let leftMs = 1e-10
  const look = () => {
    leftMs = clock.monotonicMs() > 0 ? 0 : leftMs
    if (leftMs > 0) clock.startTimer(leftMs, look)
  }
  look()
  clock.advance(1)
  expect(clock.pendingTimers).toBe(0)
})

test("a machine is not suspended for less than no time", () => {
  expect(() => new FakeClock().suspend(-1)).toThrow(RangeError)
})
