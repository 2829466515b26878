import type { SeededRandom } from "@serialcast/testkit"

/** Texts that programs have stumbled over: empty, control characters, half a pair, wildcards, format and path characters. */
const oddTexts: readonly string[] = [
  "",
  " ",
  "\0",
  "\r\n",
  "\u001b[2J",
  "\ud800",
  "\ufffe",
  "🙂".repeat(20),
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "../../../etc/passwd",
  "%00%ff%",
  "local/d0",
  "+",
  "#",
  "$SYS/#",
  "*",
  "-1",
  "1e999",
  "NaN",
  "0000000000000000-18446744073709551616",
  "x".repeat(70),
  "y".repeat(5_000),
]

/** Numbers at the edges of the types that programs put them into. */
const oddNumbers: readonly number[] = [
  0,
  -0,
  -1,
  1,
  0.5,
  127,
  128,
  255,
  256,
  65_535,
  65_536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 64,
  -(2 ** 63),
  1e308,
  Number.MIN_VALUE,
]

/** What generators of hostile input choose from. The same seed makes the same choices. */
export class Choices {
  readonly #random: SeededRandom

  constructor(random: SeededRandom) {
    this.#random = random
  }

  /** A whole number from 0 up to, and without, `end`. */
  below(end: number): number {
    return Math.floor(this.#random.next() * end)
  }

  chance(probability: number): boolean {
    return this.#random.next() < probability
  }

  pick<T>(choices: readonly [T, ...T[]] | readonly T[]): T {
    const [first] = choices
    const chosen = choices[this.below(choices.length)]
    // An index below the length is there; of an empty list nothing can be picked.
    return (chosen === undefined ? first : chosen) as T
  }

  /** Up to `most` random bytes, few more often than many. */
  bytes(most: number): Uint8Array {
    return this.#random.bytes(Math.floor(most * this.#random.next() ** 3))
  }

  text(): string {
    return this.pick(oddTexts)
  }

  /** A text as it may stand in an address; half a pair has no UTF-8. */
  encodedText(): string {
    return encodeURIComponent(new TextDecoder().decode(new TextEncoder().encode(this.text())))
  }

  number(): number {
    return this.pick(oddNumbers)
  }

  /** A value of any shape that JSON and CBOR have; some are nested far deeper than any program does. */
  value(depth = 0): unknown {
    if (depth === 0 && this.chance(0.01)) return this.#nested(this.pick([50, 500, 1_500]))
    switch (this.below(depth > 3 ? 5 : 7)) {
      case 0:
        return null
      case 1:
        return this.chance(0.5)
      case 2:
        return this.number()
      case 3:
        return this.text()
      case 4:
        return this.below(1_000)
      case 5:
        return Array.from({ length: this.below(4) }, () => this.value(depth + 1))
      default:
        return Object.fromEntries([[this.text(), this.value(depth + 1)]])
    }
  }

  /** `valid` with something missing, of another type, or too much; as it is now and then. */
  mutateObject(valid: Readonly<Record<string, unknown>>): unknown {
    if (this.chance(0.02)) return this.value()
    const entries = Object.entries(valid)
    for (let count = this.below(3); count > 0; count--) {
      const at = this.below(entries.length + 1)
      const [key = this.text()] = entries[at] ?? []
      if (this.chance(0.3)) entries.splice(at, 1)
      else entries.splice(at, 1, [this.chance(0.1) ? this.text() : key, this.value()])
    }
    return Object.fromEntries(entries)
  }

  /** `valid` with bytes changed, left out, repeated or cut off. */
  mutateBytes(valid: Uint8Array): Uint8Array {
    let bytes = Array.from(valid)
    for (let count = 1 + this.below(3); count > 0; count--) {
      const at = this.below(bytes.length + 1)
      const length = this.below(8)
      switch (this.below(4)) {
        case 0:
          bytes[at] = this.below(256)
          break
        case 1:
          bytes.splice(at, length)
          break
        case 2:
          bytes.splice(at, 0, ...bytes.slice(at, at + length))
          break
        default:
          if (this.chance(0.3)) bytes = bytes.slice(0, at)
      }
    }
    return Uint8Array.from(bytes)
  }

  /** `bytes` in pieces as a network might bring them: often whole, sometimes one by one. */
  split(bytes: Uint8Array): readonly Uint8Array[] {
    if (bytes.byteLength > 2_000 || this.chance(0.6)) return [bytes]
    const pieces: Uint8Array[] = []
    const most = this.pick([1, 3, 100])
    for (let at = 0; at < bytes.byteLength && pieces.length < 30; ) {
      const length = pieces.length === 29 ? bytes.byteLength - at : 1 + this.below(most)
      pieces.push(bytes.subarray(at, at + length))
      at += length
    }
    return pieces
  }

  #nested(depth: number): unknown {
    let value: unknown = null
    for (let level = 0; level < depth; level++) value = this.#level(value, level)
    return value
  }

  #level(value: unknown, level: number): unknown {
    return level % 2 === 0 ? [value] : { a: value }
  }
}
