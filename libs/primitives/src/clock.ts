import { createFineWallTime } from "./fine-wall-time.ts"
import type { MonotonicMs, WallMs, WallUs } from "./time-kinds.ts"

/** A pending timer; disposing it cancels it. */
export interface Timer extends Disposable {
  cancel(): void
}

/**
 * Source of time, injected so that tests can drive it by hand. The two kinds do not mix: stamps are wall time, whatever is
 * waited for or measured is monotonic.
 */
export interface Clock {
  /** The time of day: for stamps. Follows at once when somebody sets it. */
  nowMs(): WallMs
  /** As `nowMs`, for stamps of bytes. */
  nowUs(): WallUs
  /** For durations and deadlines: `after`, `msSince`, `msUntil`. */
  monotonicMs(): MonotonicMs
  /** Calls `fire` once after `delayMs` of monotonic time. Does not keep the process alive. */
  startTimer(delayMs: number, fire: () => void): Timer
}

/** What a platform tells of the time, in milliseconds. */
export interface ClockSources {
  /** Since 1970; fractions are ignored. */
  readonly wallMs: () => number
  /** With fractions; never less than before. */
  readonly monotonicMs: () => number
}

/** The longest delay of a platform's timer; it fires at once after a longer one (a signed number of 32 bits). */
const maxDelayMs = 2 ** 31 - 1

export const systemClock: Clock = createSystemClock()

/** A clock of these sources, with the platform's timers. */
export function createClock(sources: ClockSources): Clock {
  return {
    // Here what a platform tells becomes one kind of time or the other.
    nowMs: () => Math.floor(sources.wallMs()) as WallMs,
    nowUs: createFineWallTime(sources),
    monotonicMs: () => sources.monotonicMs() as MonotonicMs,
    startTimer,
  }
}

/** The clock of this platform, Node or a browser. */
export function createSystemClock(): Clock {
  // `performance.now` counts from the start of a process, so that two could not compare; a browser has nothing else.
  const monotonicMs = typeof process === "undefined" ? () => performance.now() : machineMs
  return createClock({ wallMs: () => Date.now(), monotonicMs })
}

function machineMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1_000 + nanoseconds / 1_000_000
}

function startTimer(delayMs: number, fire: () => void): Timer {
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
}
