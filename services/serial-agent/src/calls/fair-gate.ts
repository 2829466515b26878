import { AppError } from "@serialcast/contract"
import { createDeferred, type Deferred } from "@serialcast/primitives"

export interface FairGateLimits {
  readonly maxRunning: number
  readonly maxWaiting: number
}

/**
 * Lets little work run at a time. Clients that wait take turns, however much each of them wants; when too much waits,
 * the client with the most loses the newest of it, as `overloaded`.
 */
export class FairGate {
  readonly #limits: FairGateLimits
  /** Whose turn it is next is first. */
  readonly #waiting = new Map<string, Deferred<void>[]>()
  #waitingCount = 0
  #runningCount = 0

  constructor(limits: FairGateLimits) {
    this.#limits = limits
  }

  /** What `work` comes to. Throws `overloaded` when it was not let in. */
  async run<T>(client: string, work: () => Promise<T>): Promise<T> {
    if (this.#runningCount < this.#limits.maxRunning) this.#runningCount++
    else await this.#wait(client)
    try {
      return await work()
    } finally {
      this.#letNextIn()
    }
  }

  #wait(client: string): Promise<void> {
    const turn = createDeferred<void>()
    const waiting = this.#waiting.get(client)
    if (waiting === undefined) this.#waiting.set(client, [turn])
    else waiting.push(turn)
    if (++this.#waitingCount > this.#limits.maxWaiting) this.#refuseOne()
    return turn.promise
  }

  #refuseOne(): void {
    const [most] = [...this.#waiting].sort(([, a], [, b]) => b.length - a.length)
    if (most === undefined) return
    const [client, waiting] = most
    const { maxWaiting } = this.#limits
    waiting.pop()?.reject(new AppError("overloaded", `${maxWaiting} requests wait already.`))
    this.#waitingCount--
    if (waiting.length === 0) this.#waiting.delete(client)
  }

  /** Whoever leaves hands the place on. */
  #letNextIn(): void {
    for (const [client, waiting] of this.#waiting) {
      this.#waiting.delete(client)
      const turn = waiting.shift()
      if (waiting.length > 0) this.#waiting.set(client, waiting)
      this.#waitingCount--
      return turn?.resolve()
    }
    this.#runningCount--
  }
}
