import { after, latest, longAgo, type MonotonicMs } from "@serialcast/primitives"

export interface EndingTimes {
  /** Since the line has sent everything, before the disconnect. */
  readonly silenceMs: number
  /** Since the last byte of the far end. */
  readonly graceMs: number
}

/**
 * When a connection whose TCP side ended may be ended on the line.
 *
 * The protocol has no half close: a disconnect ends both directions. So what the far end still answers is waited for
 * (the grace), counted from when it has the whole question. And the existing program throws away data that it reads
 * together with the disconnect, so the line must have been silent for a moment before it.
 */
export class Ending {
  readonly #times: EndingTimes
  #drainedMs: MonotonicMs | null = null
  #heardMs = longAgo
  #isGraceful: boolean

  constructor(times: EndingTimes, isGraceful: boolean) {
    this.#times = times
    this.#isGraceful = isGraceful
  }

  /** The TCP side still takes what comes. */
  get isGraceful(): boolean {
    return this.#isGraceful
  }

  drained(nowMs: MonotonicMs): void {
    this.#drainedMs ??= nowMs
  }

  heard(nowMs: MonotonicMs): void {
    this.#heardMs = nowMs
  }

  /** Nobody is there any more whom an answer could reach. */
  hurry(): void {
    this.#isGraceful = false
  }

  /** null: not before the line is drained. */
  get deadlineMs(): MonotonicMs | null {
    if (this.#drainedMs === null) return null
    const silentMs = after(this.#drainedMs, this.#times.silenceMs)
    if (!this.#isGraceful) return silentMs
    return latest(silentMs, after(latest(this.#drainedMs, this.#heardMs), this.#times.graceMs))
  }
}
