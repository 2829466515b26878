import { type Clock, msSince } from "@serialcast/primitives"

export interface AllowanceOptions {
  /** So many at once. */
  readonly burst: number
  /** One more after each of these, in milliseconds. */
  readonly refillMs: number
}

/** How often something may be done: some times in a row, and then at a pace. */
export class Allowance {
  readonly #options: AllowanceOptions
  readonly #clock: Clock
  #left: number
  #lookedMs: ReturnType<Clock["monotonicMs"]>

  constructor(options: AllowanceOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
    this.#left = options.burst
    this.#lookedMs = clock.monotonicMs()
  }

  /** Whether it may be done now; then that counts. */
  take(): boolean {
    const { burst, refillMs } = this.#options
    this.#left = Math.min(burst, this.#left + msSince(this.#clock, this.#lookedMs) / refillMs)
    this.#lookedMs = this.#clock.monotonicMs()
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }
}
