import { clockTroubles, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { createAttemptLimiter } from "./attempt-limiter.ts"

test("a source is blocked after its failures until the window is over; others are not", () => {
  const clock = new FakeClock()
  const limiter = createAttemptLimiter({ clock, maxFailures: 2, windowMs: 1000 })
  limiter.recordFailure("a")
  expect(limiter.isBlocked("a")).toBe(false)
  clock.advance(999)
  limiter.recordFailure("a")
  expect([limiter.isBlocked("a"), limiter.isBlocked("b")]).toEqual([true, false])
  clock.advance(1)
  expect(limiter.isBlocked("a")).toBe(false)
})

test.each(clockTroubles)(
  "on a machine %s a source is blocked for its time, and no longer",
  (_title, befall) => {
    const clock = new FakeClock()
    const limiter = createAttemptLimiter({ clock, maxFailures: 1, windowMs: 1_000 })
    limiter.recordFailure("a")
    befall(clock)
    clock.advance(999)
    expect(limiter.isBlocked("a")).toBe(true)
    clock.advance(1)
    expect(limiter.isBlocked("a")).toBe(false)
  },
)
