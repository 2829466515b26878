import { BoundedMap, type Clock, longAgo, type MonotonicMs, msSince } from "@serialcast/primitives"

/** Log lines about refusals of one kind to one address are at least this far apart, in milliseconds. */
const quietMs = 60_000

// Beyond so many, those heard of longest ago are news again: whoever has more addresses than this meets `maxLines`.
const maxKeys = 1024

/** Lines in `quietMs`, whoever is refused: a network of guessers fills no disk either. */
const maxLines = 60

/**
 * Which refusals are worth a line of the log: whoever guesses, floods or breaks the rules must not fill it. `next` is
 * asked for each refusal, under what makes it the same as another (an address and a code), and answers null, or how many
 * of them went without a line since the last.
 */
export class RefusalLog {
  readonly #clock: Clock
  readonly #known = new BoundedMap<string, { toldMs: MonotonicMs; untold: number }>(maxKeys)
  #lines = 0
  #linesFromMs = longAgo

  constructor(clock: Clock) {
    this.#clock = clock
  }

  next(key: string): { readonly untold: number } | null {
    const known = this.#known.get(key) ?? { toldMs: longAgo, untold: 0 }
    if (msSince(this.#clock, known.toldMs) < quietMs || !this.#hasLine()) {
      known.untold += 1
      this.#known.set(key, known)
      return null
    }
    this.#known.set(key, { toldMs: this.#clock.monotonicMs(), untold: 0 })
    return { untold: known.untold }
  }

  #hasLine(): boolean {
    if (msSince(this.#clock, this.#linesFromMs) >= quietMs) {
      this.#linesFromMs = this.#clock.monotonicMs()
      this.#lines = 0
    }
    this.#lines += 1
    return this.#lines <= maxLines
  }
}
