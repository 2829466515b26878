import { after, latest, longAgo, type MonotonicMs } from "@serialcast/primitives"

/** As the existing program: 1.0 s for each answer, half as much again after each attempt that failed, 60 s at most. */
const firstTimeoutMs = 1_000
const growth = 1.5
const maxTimeoutMs = 60_000

/**
 * A far end that never says what is expected must not make this end flood the line: eight attempts may follow at once,
 * which is more than any restart of a far end needs, and then four a second.
 */
const burstAttempts = 8
const refillMs = 250

/** How long an attempt to synchronise waits for each answer, and how soon after another one may begin. */
export class AttemptPace {
  #timeoutMs = firstTimeoutMs
  /** Each attempt moves it on by `refillMs`; as far as it is ahead of the time, attempts were made in advance. */
  #paidUntilMs = longAgo

  get timeoutMs(): number {
    return this.#timeoutMs
  }

  /** A round begins: patience is as at the start. */
  beginRound(): void {
    this.#timeoutMs = firstTimeoutMs
  }

  beginAttempt(nowMs: MonotonicMs): void {
    this.#paidUntilMs = after(latest(this.#paidUntilMs, nowMs), refillMs)
  }

  failAttempt(): void {
    this.#timeoutMs = Math.min(maxTimeoutMs, this.#timeoutMs * growth)
  }

  /** The time from which on an attempt may begin. */
  nextAttemptMs(nowMs: MonotonicMs): MonotonicMs {
    return latest(nowMs, after(this.#paidUntilMs, -(burstAttempts - 1) * refillMs))
  }
}
