import type { Clock } from "@serialcast/primitives"
import type { Stamp } from "./stream/stream-lane.ts"

// Far more than reading both clocks one after the other takes, and less than anybody sets a clock by on purpose.
const minStepUs = 500_000

/** Gives stamps, and notices when the wall clock was set. */
export class ClockWatch {
  readonly #clock: Clock
  readonly #onStep: (stepUs: number, stamp: Stamp) => void
  /** Wall time less monotonic time, in microseconds. */
  #differenceUs: number

  /** `onStep` gets by how much the clock was set, forward or back, and is called before the stamp is given. */
  constructor(clock: Clock, onStep: (stepUs: number, stamp: Stamp) => void) {
    this.#clock = clock
    this.#onStep = onStep
    this.#differenceUs = differenceOf(this.#read())
  }

  /** Now. A machine that slept looks like one whose clock was set: no time passed but on the wall. */
  stamp(): Stamp {
    const stamp = this.#read()
    const differenceUs = differenceOf(stamp)
    const stepUs = Math.round(differenceUs - this.#differenceUs)
    this.#differenceUs = differenceUs
    if (Math.abs(stepUs) >= minStepUs) this.#onStep(stepUs, stamp)
    return stamp
  }

  #read(): Stamp {
    return { wallUs: this.#clock.nowUs(), monotonicMs: this.#clock.monotonicMs() }
  }
}

/** By how much the wall clock was set between two times of one boot, in microseconds; 0: it was not. */
export function stepBetween(before: Times, now: Times): number {
  const stepUs = Math.round(differenceOf(now) - differenceOf(before))
  return Math.abs(stepUs) < minStepUs ? 0 : stepUs
}

/** As a note tells them. */
interface Times {
  readonly wallUs: number
  readonly monotonicMs: number
}

function differenceOf({ wallUs, monotonicMs }: Times): number {
  return wallUs - monotonicMs * 1_000
}
