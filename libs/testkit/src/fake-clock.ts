import type { Clock, Timer } from "@serialcast/primitives"

interface PendingTimer {
  readonly atUs: number
  readonly fire: () => void
}

/** Time that stands still until the test moves it. */
export class FakeClock implements Clock {
  #nowUs: number
  /** In the order of their times; of equal ones the older first. */
  readonly #pending: PendingTimer[] = []

  constructor(startMs = Date.UTC(2030, 0, 1)) {
    this.#nowUs = startMs * 1000
  }

  nowMs(): number {
    return Math.floor(this.#nowUs / 1000)
  }

  nowUs(): number {
    return this.#nowUs
  }

  /** How many timers have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#pending.length
  }

  startTimer(delayMs: number, fire: () => void): Timer {
    const timer = { atUs: this.#nowUs + Math.max(0, Math.round(delayMs * 1000)), fire }
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
    const untilUs = this.#nowUs + Math.round(ms * 1000)
    for (let fired = 0; this.#fireNext(untilUs); fired++) refuseEndless(fired)
    this.#nowUs = untilUs
  }

  /** Like `advance`, but lets promises settle after each timer: for loops that wait with `await delay(...)`. */
  async advanceAsync(ms: number): Promise<void> {
    const untilUs = this.#nowUs + Math.round(ms * 1000)
    await new Promise(setImmediate)
    for (let fired = 0; this.#fireNext(untilUs); fired++) {
      refuseEndless(fired)
      await new Promise(setImmediate)
    }
    this.#nowUs = untilUs
  }

  #fireNext(untilUs: number): boolean {
    const [next] = this.#pending
    if (next === undefined || next.atUs > untilUs) return false
    this.#pending.shift()
    this.#nowUs = next.atUs
    next.fire()
    return true
  }
}

/** A timer of 0 ms that starts itself again would hang the test without a word. */
function refuseEndless(fired: number): void {
  if (fired >= 100_000) throw new Error("100,000 timers fired within one advance: one of them never ends.")
}
