import type { FrameBuilder } from "./frame-builder.ts"
import type { Scanner } from "./scanner.ts"

/** Where the port was opened that sent the byte at this offset; undefined when that is not known. */
export type AnchorAt = (offset: number) => number | undefined

/** Messages of one length, which are counted from the opening of the port. */
export class FixedScanner implements Scanner {
  readonly #frames: FrameBuilder
  readonly #length: number
  readonly #anchorAt: AnchorAt
  #isOpening = true
  /** null: to be found at the next byte. */
  #anchor: number | null = null
  /** Nobody knows where messages begin: none is known to be one. */
  #isLost = false

  constructor(frames: FrameBuilder, length: number, anchorAt: AnchorAt) {
    this.#frames = frames
    this.#length = length
    this.#anchorAt = anchorAt
  }

  take(byte: number, offset: number, timeUs: number): void {
    const anchor = this.#anchor ?? this.#findAnchor(offset)
    if (!this.#isLost && (offset - anchor) % this.#length === 0) this.#frames.end(offset)
    this.#frames.add(byte, offset, timeUs)
    if ((offset + 1 - anchor) % this.#length !== 0) return
    if (this.#isLost) this.#frames.cut(offset + 1, true)
    else this.#frames.end(offset + 1)
  }

  release(): void {}

  restart(isOpening: boolean): void {
    this.#isOpening = isOpening
    this.#anchor = null
  }

  setClock(): void {}

  isOverAt(): boolean {
    return false
  }

  silence(): void {}

  #findAnchor(offset: number): number {
    const known = this.#isOpening ? offset : this.#anchorAt(offset)
    this.#isLost = known === undefined
    this.#anchor = known ?? offset
    return this.#anchor
  }
}
