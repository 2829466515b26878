import { after, type Clock, type MonotonicMs, msUntil, type Timer } from "@serialcast/primitives"

export interface IdleWatchOptions {
  readonly clock: Clock
  /** null: never idle. */
  readonly timeoutMs: number | null
  /** Something is still to be done, however long it takes. */
  readonly isBusy: () => boolean
  /** Called once. */
  readonly onIdle: () => void
}

/** Notices that nothing moved for a while. Moving costs a look at the clock, not a timer. */
export class IdleWatch implements Disposable {
  readonly #options: IdleWatchOptions
  #movedMs: MonotonicMs
  #timer: Timer | null = null

  constructor(options: IdleWatchOptions) {
    this.#options = options
    this.#movedMs = options.clock.monotonicMs()
    if (options.timeoutMs !== null) this.#startTimer(options.timeoutMs)
  }

  /** Bytes moved. */
  moved(): void {
    this.#movedMs = this.#options.clock.monotonicMs()
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel()
  }

  #startTimer(timeoutMs: number): void {
    const { clock, isBusy, onIdle } = this.#options
    if (isBusy()) this.moved()
    const leftMs = msUntil(clock, after(this.#movedMs, timeoutMs))
    if (leftMs === 0) return onIdle()
    this.#timer = clock.startTimer(leftMs, () => this.#startTimer(timeoutMs))
  }
}
