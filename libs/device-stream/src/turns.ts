import { createDeferred, type Deferred } from "@serialcast/primitives"

/** Lets so many things happen at a time; what is beyond waits for its turn, in order. */
export class Turns {
  #free: number
  #waiting: Deferred<void>[] = []

  constructor(limit: number) {
    this.#free = limit
  }

  get hasFree(): boolean {
    return this.#free > 0
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await this.#wait()
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next.resolve()
    }
  }

  /** Refuses all that wait for their turn now. */
  refuseWaiting(error: Error): void {
    for (const turn of this.#waiting.splice(0)) turn.reject(error)
  }

  async #wait(): Promise<void> {
    const turn = createDeferred<void>()
    this.#waiting.push(turn)
    await turn.promise
  }
}
