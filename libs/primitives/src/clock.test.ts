import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { systemClock } from "./clock.ts"

const dayMs = 24 * 60 * 60 * 1000

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test("a delay of months, longer than the platform's timers take, is waited for", () => {
  const fire = vi.fn<() => void>()
  systemClock.startTimer(60 * dayMs, fire)
  vi.advanceTimersByTime(60 * dayMs - 1)
  expect(fire).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(fire).toHaveBeenCalledOnce()
  expect(vi.getTimerCount()).toBe(0)
})

test("a long delay can be cancelled at any time", () => {
  const fire = vi.fn<() => void>()
  const timer = systemClock.startTimer(60 * dayMs, fire)
  vi.advanceTimersByTime(30 * dayMs)
  timer.cancel()
  expect(vi.getTimerCount()).toBe(0)
})
