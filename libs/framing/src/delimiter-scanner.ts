import type { FrameBuilder } from "./frame-builder.ts"
import type { Scanner } from "./scanner.ts"

/**
 * A message ends with `delimiter`, of at least one byte. Searched as by Knuth, Morris and Pratt: no byte is looked at
 * again, however the delimiter repeats itself.
 */
export class DelimiterScanner implements Scanner {
  readonly #frames: FrameBuilder
  readonly #delimiter: Uint8Array
  readonly #borders: Uint8Array
  /** When each of the matched bytes was read. */
  readonly #timesUs: Float64Array
  /** So many of the last bytes are the delimiter's first ones, and not yet bytes of the message. */
  #matched = 0
  #nextOffset = 0

  constructor(frames: FrameBuilder, delimiter: Uint8Array) {
    this.#frames = frames
    this.#delimiter = delimiter
    this.#borders = bordersOf(delimiter)
    this.#timesUs = new Float64Array(delimiter.byteLength)
  }

  take(byte: number, offset: number, timeUs: number): void {
    this.#nextOffset = offset
    while (this.#matched > 0 && byte !== this.#delimiter[this.#matched]) {
      this.#keepMatched(this.#borders[this.#matched - 1] ?? 0)
    }
    if (byte !== this.#delimiter[this.#matched]) return this.#frames.add(byte, offset, timeUs)
    this.#frames.begin(offset, timeUs)
    this.#timesUs[this.#matched++] = timeUs
    this.#nextOffset = offset + 1
    if (this.#matched < this.#delimiter.byteLength) return
    this.#matched = 0
    this.#frames.end(offset + 1)
  }

  release(): void {
    this.#keepMatched(0)
  }

  restart(): void {}

  setClock(): void {}

  isOverAt(): boolean {
    return false
  }

  silence(): void {}

  /** Leaves the last `kept` matched bytes matched; the ones before them are bytes of the message. */
  #keepMatched(kept: number): void {
    const released = this.#matched - kept
    const firstOffset = this.#nextOffset - this.#matched
    for (let at = 0; at < released; at++) {
      this.#frames.add(this.#delimiter[at] ?? 0, firstOffset + at, this.#timesUs[at] ?? 0)
    }
    this.#timesUs.copyWithin(0, released)
    this.#matched = kept
  }
}

/** For each prefix of `pattern`, the length of its longest proper prefix that is also its suffix. */
function bordersOf(pattern: Uint8Array): Uint8Array {
  const borders = new Uint8Array(pattern.byteLength)
  let length = 0
  for (let at = 1; at < pattern.byteLength; at++) {
    while (length > 0 && pattern[at] !== pattern[length]) length = borders[length - 1] ?? 0
    if (pattern[at] === pattern[length]) length++
    borders[at] = length
  }
  return borders
}
