export interface BackoffOptions {
  readonly minMs: number
  readonly maxMs: number
  /** Uniform in [0, 1). */
  readonly random?: () => number
}

export interface Backoff {
  /** The delay to wait before the next attempt, in milliseconds. */
  next(): number
  reset(): void
}

/** Doubling delays with jitter over their upper half, so that many clients of one broker do not return in step. */
export function createBackoff({ minMs, maxMs, random = Math.random }: BackoffOptions): Backoff {
  let ceilingMs = minMs
  return {
    next() {
      const delayMs = Math.round(ceilingMs * (0.5 + random() / 2))
      ceilingMs = Math.min(maxMs, ceilingMs * 2)
      return delayMs
    },
    reset() {
      ceilingMs = minMs
    },
  }
}
