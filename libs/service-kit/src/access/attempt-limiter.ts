import { BoundedMap, type Clock, type MonotonicMs, msSince } from "@serialcast/primitives"

export interface AttemptLimiterOptions {
  readonly clock: Clock
  /** Failures that one source may make within `windowMs`. */
  readonly maxFailures?: number
  readonly windowMs?: number
}

/** Counts failed log-ins by where they come from. */
export interface AttemptLimiter {
  /** Whether `source` has to wait before it may try again. */
  isBlocked(source: string): boolean
  recordFailure(source: string): void
}

// More sources than this only have the counts of the latest remembered.
const maxSources = 1024

/** One source cannot block another: each address has its own count, which starts again after the window. */
export function createAttemptLimiter({
  clock,
  maxFailures = 10,
  windowMs = 60_000,
}: AttemptLimiterOptions): AttemptLimiter {
  const windows = new BoundedMap<string, { startMs: MonotonicMs; failures: number }>(maxSources)
  const current = (source: string) => {
    const window = windows.get(source)
    return window !== undefined && msSince(clock, window.startMs) < windowMs
      ? window
      : { startMs: clock.monotonicMs(), failures: 0 }
  }
  return {
    isBlocked: (source) => current(source).failures >= maxFailures,
    recordFailure(source) {
      const { startMs, failures } = current(source)
      windows.set(source, { startMs, failures: failures + 1 })
    },
  }
}
