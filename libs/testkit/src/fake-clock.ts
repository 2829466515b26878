import type { Clock, MonotonicMs, Timer, WallMs, WallUs } from "@serialcast/primitives"
import { atMs } from "./at-ms.ts"

interface PendingTimer {
  readonly atUs: number
  readonly fire: () => void
}

/** Time that stands still until the test moves it. */
export class FakeClock implements Clock {
  /** Monotonic, from 0. */
  #passedUs = 0
  /** The time of day when the monotonic time was 0. */
  #epochUs: number
  /** In the order of their times; of equal ones the older first. */
  readonly #pending: PendingTimer[] = []

  /** `startMs`: the time of day, since 1970. */
  constructor(startMs = Date.UTC(2030, 0, 1)) {
    this.#epochUs = startMs * 1000
  }

  nowMs(): WallMs {
    // Here the test's numbers become one kind of time or the other.
    return Math.floor(this.nowUs() / 1000) as WallMs
  }

  nowUs(): WallUs {
    // As above.
    return (this.#epochUs + this.#passedUs) as WallUs
  }

  monotonicMs(): MonotonicMs {
    return atMs(this.#passedUs / 1000)
  }

  /** How many timers have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#pending.length
  }

  /** A time to wait that is left is a microsecond at least: what looks again when it fires comes to an end. */
  startTimer(delayMs: number, fire: () => void): Timer {
    const delayUs = delayMs > 0 ? Math.max(1, Math.round(delayMs * 1000)) : 0
    const timer = { atUs: this.#passedUs + delayUs, fire }
    const later = this.#pending.findIndex(({ atUs }) => atUs > timer.atUs)
    this.#pending.splice(later < 0 ? this.#pending.length : later, 0, timer)
    const cancel = () => {
      const at = this.#pending.indexOf(timer)
      if (at >= 0) this.#pending.splice(at, 1)
    }
    return { cancel, [Symbol.dispose]: cancel }
  }

  /** Moves time on and fires what falls due, each timer at its own time, those started on the way included. */
  advance(ms: number): void {
    const untilUs = this.#passedUs + Math.round(ms * 1000)
    for (let fired = 0; this.#fireNext(untilUs); fired++) refuseEndless(fired)
    this.#passedUs = untilUs
  }

  /** Like `advance`, but lets promises settle after each timer: for loops that wait with `await delay(...)`. */
  async advanceAsync(ms: number): Promise<void> {
    const untilUs = this.#passedUs + Math.round(ms * 1000)
    await new Promise(setImmediate)
    for (let fired = 0; this.#fireNext(untilUs); fired++) {
      refuseEndless(fired)
      await new Promise(setImmediate)
    }
    this.#passedUs = untilUs
  }

  /** Sets the time of day, forwards or back, as NTP or a person does; no timer notices. */
  step(ms: number): void {
    this.#epochUs += Math.round(ms * 1000)
  }

  /** The machine sleeps for `ms`: when it wakes, the time of day has gone on, and nothing that is waited for has. */
  suspend(ms: number): void {
    if (ms < 0) throw new RangeError(`A machine cannot be suspended for ${ms} ms.`)
    this.step(ms)
  }

  #fireNext(untilUs: number): boolean {
    const [next] = this.#pending
    if (next === undefined || next.atUs > untilUs) return false
    this.#pending.shift()
    this.#passedUs = next.atUs
    next.fire()
    return true
  }
}

/** A timer of 0 ms that starts itself again would hang the test without a word. */
function refuseEndless(fired: number): void {
  if (fired >= 100_000) throw new Error("100,000 timers fired within one advance: one of them never ends.")
}
