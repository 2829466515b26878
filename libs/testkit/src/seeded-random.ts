import { randomInt } from "node:crypto"

export interface SeededRandom {
  /** Put it into the message of every assertion, so that a failure can be repeated. */
  readonly seed: number
  /** Uniform in [0, 1). */
  readonly next: () => number
  bytes(length: number): Uint8Array
}

/** Repeatable randomness (mulberry32: 32 bits of state, good enough for data and choices in tests). */
export function seededRandom(seed: number = randomInt(2 ** 32)): SeededRandom {
  let state = seed >>> 0
  const nextWord = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let word = Math.imul(state ^ (state >>> 15), state | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    return (word ^ (word >>> 14)) >>> 0
  }
  return {
    seed,
    next: () => nextWord() / 2 ** 32,
    bytes(length) {
      const words = Uint32Array.from({ length: Math.ceil(length / 4) }, nextWord)
      return new Uint8Array(words.buffer, 0, length)
    },
  }
}
