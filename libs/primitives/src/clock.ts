/** A pending timer; disposing it cancels it. */
export interface Timer extends Disposable {
  cancel(): void
}

/** Source of time, injected so that tests can drive it by hand. */
export interface Clock {
  /** Milliseconds since 1970. */
  nowMs(): number
  /** Whole microseconds since 1970; fits a safe integer until the year 2255. */
  nowUs(): number
  /** Calls `fire` once after `delayMs`. Does not keep the process alive. */
  startTimer(delayMs: number, fire: () => void): Timer
}

/** The longest delay of a platform's timer; it fires at once after a longer one (a signed number of 32 bits). */
const maxDelayMs = 2 ** 31 - 1

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  nowUs: () => Math.floor((performance.timeOrigin + performance.now()) * 1000),
  startTimer(delayMs, fire) {
    let handle = start(delayMs)
    const cancel = () => clearTimeout(handle)
    return { cancel, [Symbol.dispose]: cancel }

    function start(leftMs: number): ReturnType<typeof setTimeout> {
      const next = leftMs > maxDelayMs ? () => (handle = start(leftMs - maxDelayMs)) : fire
      const timer = setTimeout(next, Math.min(leftMs, maxDelayMs))
      // Browsers answer a number here; only Node's handle can be unreferenced.
      if (typeof timer === "object") timer.unref()
      return timer
    }
  },
}
