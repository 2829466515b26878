import { AppError } from "@serialcast/contract"
import { createDeferred, type Deferred } from "@serialcast/primitives"

export interface GateOptions {
  readonly maxRunning: number
  readonly maxWaiting: number
}

/** Lets a few work at a time; the others wait in order, and beyond `maxWaiting` are refused as `overloaded`. */
export class Gate {
  readonly #options: GateOptions
  readonly #waiting: Deferred<void>[] = []
  #running = 0

  constructor(options: GateOptions) {
    this.#options = options
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    const { maxRunning, maxWaiting } = this.#options
    if (this.#running < maxRunning) {
      this.#running++
    } else {
      if (this.#waiting.length >= maxWaiting) {
        throw new AppError("overloaded", `More than ${maxWaiting} pages of the journal are wanted at once.`)
      }
      const turn = createDeferred<void>()
      this.#waiting.push(turn)
      await turn.promise
    }
    try {
      return await work()
    } finally {
      // The place goes to the next one, or is free.
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next.resolve()
    }
  }
}
