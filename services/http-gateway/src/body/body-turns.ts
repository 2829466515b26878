/**
 * Takes bodies that come in very small chunks in turns. The parser works on a chunk of one byte as long as on one of a
 * thousand, and takes all that a socket has: a few clients that send single bytes would hold up everybody for seconds. Of
 * those that have had their share, one goes on in each turn of the event loop.
 */
export class BodyTurns {
  readonly #waiting: (() => void)[] = []

  /** Calls `goOn` when it is its turn. */
  wait(goOn: () => void): void {
    this.#waiting.push(goOn)
    if (this.#waiting.length === 1) this.#schedule()
  }

  #schedule(): void {
    setImmediate(() => {
      this.#waiting.shift()?.()
      if (this.#waiting.length > 0) this.#schedule()
    })
  }
}
