import { type Clock, type MonotonicMs, systemClock } from "@serialcast/primitives"

/** The platform's clock, so many times as fast: for real peers whose silences would take too long. */
export function createFastClock(factor: number): Clock {
  return {
    ...systemClock,
    // As a clock of its own would tell it.
    monotonicMs: () => (systemClock.monotonicMs() * factor) as MonotonicMs,
    startTimer: (delayMs, fire) => systemClock.startTimer(delayMs / factor, fire),
  }
}
