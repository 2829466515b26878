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

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  nowUs: () => Math.floor((performance.timeOrigin + performance.now()) * 1000),
  startTimer(delayMs, fire) {
    const handle = setTimeout(fire, delayMs)
    // Browsers answer a number here; only Node's handle can be unreferenced.
    if (typeof handle === "object") handle.unref()
    const cancel = () => clearTimeout(handle)
    return { cancel, [Symbol.dispose]: cancel }
  },
}
