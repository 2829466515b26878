/**
 * Lets what takes long go on in turns, one piece of it in each turn of the event loop: whatever else is to be done comes in
 * between, however many there are. What is ready at once would otherwise follow itself, without a pause, for seconds.
 */
export class LoopTurns {
  readonly #waiting: (() => void)[] = []

  /** Calls `goOn` when it is its turn. */
  wait(goOn: () => void): void {
    this.#waiting.push(goOn)
    if (this.#waiting.length === 1) this.#schedule()
  }

  /** Resolves when it is the caller's turn. */
  next(): Promise<void> {
    return new Promise((resolve) => this.wait(resolve))
  }

  #schedule(): void {
    setImmediate(() => {
      const goOn = this.#waiting.shift()
      if (this.#waiting.length > 0) this.#schedule()
      goOn?.()
    })
  }
}
