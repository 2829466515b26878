import { createDeferred, type Deferred } from "./deferred.ts"

export interface GateOptions {
  readonly maxRunning: number
  /** Of what waits beyond that, something is refused. Default: there is no limit, because the callers have one. */
  readonly maxWaiting?: number
  /** Makes the error of what is refused. */
  readonly refusal?: () => Error
  /** Makes the error of what is given up before its turn. */
  readonly cancellation?: () => Error
}

/**
 * Lets so much work run at a time; what is beyond waits for its turn, in order. Work may be somebody's: those who wait take
 * turns then, however much each of them wants, and when too much waits, who has the most loses the newest of it.
 */
export class Gate {
  readonly #maxRunning: number
  readonly #maxWaiting: number
  readonly #refusal: () => Error
  readonly #cancellation: () => Error
  /** By whose it is; whose turn it is next is first. */
  readonly #waiting = new Map<string, Deferred<void>[]>()
  #waitingCount = 0
  #runningCount = 0

  constructor({
    maxRunning,
    maxWaiting = Number.POSITIVE_INFINITY,
    refusal = () => new RangeError("too much waits"),
    cancellation = () => new RangeError("nobody waits for it any more"),
  }: GateOptions) {
    this.#maxRunning = maxRunning
    this.#maxWaiting = maxWaiting
    this.#refusal = refusal
    this.#cancellation = cancellation
  }

  /** Whether work would begin at once. */
  get hasFree(): boolean {
    return this.#runningCount < this.#maxRunning
  }

  /**
   * What `work` comes to. Rejects with the refusal when it was not let in. `signal`: it waits no longer when that is aborted; what
   * has begun goes on.
   */
  async run<T>(work: () => Promise<T>, whose = "", signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) throw this.#cancellation()
    if (this.hasFree) this.#runningCount++
    else await this.#wait(whose, signal)
    try {
      return await work()
    } finally {
      this.#letNextIn()
    }
  }

  /** Refuses all that waits now. */
  refuseWaiting(error: Error): void {
    const waiting = [...this.#waiting.values()].flat()
    this.#waiting.clear()
    this.#waitingCount = 0
    for (const turn of waiting) turn.reject(error)
  }

  async #wait(whose: string, signal: AbortSignal | undefined): Promise<void> {
    const turn = createDeferred<void>()
    const giveUp = () => this.#giveUp(whose, turn)
    signal?.addEventListener("abort", giveUp)
    const waiting = this.#waiting.get(whose)
    if (waiting === undefined) this.#waiting.set(whose, [turn])
    else waiting.push(turn)
    if (++this.#waitingCount > this.#maxWaiting) this.#refuseOne()
    try {
      await turn.promise
    } finally {
      signal?.removeEventListener("abort", giveUp)
    }
  }

  /** Nothing when its turn has come. */
  #giveUp(whose: string, turn: Deferred<void>): void {
    const waiting = this.#waiting.get(whose) ?? []
    const at = waiting.indexOf(turn)
    if (at < 0) return
    waiting.splice(at, 1)
    this.#waitingCount--
    if (waiting.length === 0) this.#waiting.delete(whose)
    turn.reject(this.#cancellation())
  }

  #refuseOne(): void {
    const [most] = [...this.#waiting].sort(([, a], [, b]) => b.length - a.length)
    if (most === undefined) return
    const [whose, waiting] = most
    waiting.pop()?.reject(this.#refusal())
    this.#waitingCount--
    if (waiting.length === 0) this.#waiting.delete(whose)
  }

  /** Whoever leaves hands the place on. */
  #letNextIn(): void {
    for (const [whose, waiting] of this.#waiting) {
      this.#waiting.delete(whose)
      const turn = waiting.shift()
      if (waiting.length > 0) this.#waiting.set(whose, waiting)
      this.#waitingCount--
      return turn?.resolve()
    }
    this.#runningCount--
  }
}
