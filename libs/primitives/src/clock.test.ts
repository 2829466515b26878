import { execFileSync } from "node:child_process"
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { createSystemClock, systemClock } from "./clock.ts"
import { msSince } from "./monotonic.ts"

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

test.each([
  ["from 1970 to the time that it found", 0, Date.UTC(2026, 0, 1)],
  ["back by an hour", Date.UTC(2026, 0, 1, 12), Date.UTC(2026, 0, 1, 11)],
])(
  "stamps follow at once when the time of day is set %s; what is measured does not notice",
  (_title, from, to) => {
    vi.setSystemTime(from)
    const clock = createSystemClock()
    const startMs = clock.monotonicMs()
    expect(clock.nowUs()).toBeCloseTo(from * 1_000, -3)
    vi.setSystemTime(to)
    expect(clock.nowMs()).toBe(to)
    expect(Math.floor(clock.nowUs() / 1_000)).toBe(to)
    expect(clock.monotonicMs()).toBe(startMs)
  },
)

test("monotonic times are those of the machine, so that processes may compare theirs", () => {
  vi.useRealTimers()
  const before = systemClock.monotonicMs()
  const other = Number(execFileSync(process.execPath, ["-p", "process.hrtime.bigint().toString()"])) / 1e6
  expect(other).toBeGreaterThan(before)
  expect(other).toBeLessThan(systemClock.monotonicMs())
})

test("without a process, as in a browser, it counts from the opening of the page", async () => {
  vi.stubGlobal("process", undefined)
  try {
    const clock = createSystemClock()
    const startMs = clock.monotonicMs()
    vi.advanceTimersByTime(1_500)
    expect(msSince(clock, startMs)).toBe(1_500)
  } finally {
    vi.unstubAllGlobals()
  }
})
