import type { Clock, Timer } from "./clock.ts"
import { after, longAgo, msUntil } from "./monotonic.ts"
import type { WaitEnd, Wakeup } from "./wakeup.ts"

/** One who waits for the same wakeup again and again. Disposing it ends its wait as `aborted`, and all later ones. */
export interface Waiter extends Disposable {
  /** One at a time; without a timeout by default. Answers what ended it; the caller looks again in any case. */
  wait(timeoutMs?: number): Promise<WaitEnd>
  /** Ends the wait, if there is one, as `woken`. */
  poke(): void
}

export interface WaiterOptions {
  readonly clock: Clock
  /** Ends the wait, and all later ones, when aborted. */
  readonly signal?: AbortSignal | undefined
}

/**
 * What `wakeup.wait` does, for loops that wait for every piece: a listener on the signal and a timer for each wait cost 3 to
 * 4 µs (measured), which is what everything else of a wait costs. Here the signal has one listener, and a timer that is due
 * too early looks again.
 */
export function createWaiter(wakeup: Wakeup, options: WaiterOptions): Waiter {
  return new PatientWaiter(wakeup, options)
}

class PatientWaiter implements Waiter {
  readonly #clock: Clock
  readonly #signal: AbortSignal | undefined
  readonly #forget: () => void
  readonly #onAbort = () => this.#end("aborted")
  #resume: ((why: WaitEnd) => void) | null = null
  #isOver = false
  #timer: Timer | null = null
  /** When the timer is due, and when the wait is over, by the clock. */
  #dueMs = longAgo
  #endMs = longAgo

  constructor(wakeup: Wakeup, { clock, signal }: WaiterOptions) {
    this.#clock = clock
    this.#signal = signal
    this.#forget = wakeup.onWake(() => this.poke())
    signal?.addEventListener("abort", this.#onAbort)
  }

  wait(timeoutMs = Number.POSITIVE_INFINITY): Promise<WaitEnd> {
    return new Promise((resolve) => {
      if (this.#isOver || this.#signal?.aborted) return resolve("aborted")
      this.#resume = resolve
      this.#endMs = after(this.#clock.monotonicMs(), timeoutMs)
      if (timeoutMs === Number.POSITIVE_INFINITY || (this.#timer !== null && this.#dueMs <= this.#endMs))
        return
      this.#timer?.cancel()
      this.#startTimer(timeoutMs)
    })
  }

  poke(): void {
    this.#end("woken")
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    this.#forget()
    this.#signal?.removeEventListener("abort", this.#onAbort)
    this.#timer?.cancel()
    this.#end("aborted")
  }

  #startTimer(ms: number): void {
    this.#dueMs = after(this.#clock.monotonicMs(), ms)
    this.#timer = this.#clock.startTimer(ms, () => this.#look())
  }

  /** The timer is due: for a wait that was over long ago, for this one, or too early for it. */
  #look(): void {
    this.#timer = null
    if (this.#resume === null || this.#endMs === Number.POSITIVE_INFINITY) return
    const leftMs = msUntil(this.#clock, this.#endMs)
    if (leftMs <= 0) return this.#end("timeout")
    this.#startTimer(leftMs)
  }

  #end(why: WaitEnd): void {
    const resume = this.#resume
    this.#resume = null
    resume?.(why)
  }
}
