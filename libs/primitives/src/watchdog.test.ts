import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { type Clock, systemClock } from "./clock.ts"
import { createWatchdog } from "./watchdog.ts"

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function watch(clock: Clock = systemClock) {
  const onSilence = vi.fn<() => void>()
  return { onSilence, watchdog: createWatchdog({ clock, timeoutMs: 100, onSilence }) }
}

test("it barks once, so long after the last thing that it was told", () => {
  const { watchdog, onSilence } = watch()
  for (let n = 0; n < 10; n++) {
    watchdog.tell()
    vi.advanceTimersByTime(70)
  }
  vi.advanceTimersByTime(29)
  expect(onSilence).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(onSilence).toHaveBeenCalledOnce()
  vi.advanceTimersByTime(10_000)
  expect(onSilence).toHaveBeenCalledOnce()
  watchdog.tell()
  vi.advanceTimersByTime(100)
  expect(onSilence).toHaveBeenCalledTimes(2)
})

test("while it rests it does not bark, and has no timer for long", () => {
  const { watchdog, onSilence } = watch()
  watchdog.tell()
  watchdog.rest()
  vi.advanceTimersByTime(1_000)
  expect(onSilence).not.toHaveBeenCalled()
  expect(vi.getTimerCount()).toBe(0)
})

test("however often it is told, it has one timer", () => {
  const startTimer = vi.fn<Clock["startTimer"]>((...timer) => systemClock.startTimer(...timer))
  const { watchdog } = watch({ ...systemClock, startTimer })
  for (let n = 0; n < 1_000; n++) watchdog.tell()
  expect(startTimer).toHaveBeenCalledOnce()
})

test("a clock that is set back delays it by one more silence at most", () => {
  const { watchdog, onSilence } = watch()
  watchdog.tell()
  vi.setSystemTime(Date.now() - 3_600_000)
  vi.advanceTimersByTime(200)
  expect(onSilence).toHaveBeenCalledOnce()
})
