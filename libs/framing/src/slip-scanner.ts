import type { FrameBuilder } from "./frame-builder.ts"
import type { Scanner } from "./scanner.ts"

// RFC 1055, "SLIP drivers".
const end = 0xc0
const esc = 0xdb
const escapedEnd = 0xdc
const escapedEsc = 0xdd

/**
 * A message ends with END. END before anything else is no message: senders put one first to end the noise on the line.
 * ESC before anything that cannot be escaped is kept as it is, as RFC 1055 does with such bytes, and makes the message
 * malformed.
 */
export class SlipScanner implements Scanner {
  readonly #frames: FrameBuilder
  #isEscaped = false
  #escOffset = 0
  #escTimeUs = 0

  constructor(frames: FrameBuilder) {
    this.#frames = frames
  }

  take(byte: number, offset: number, timeUs: number): void {
    if (this.#isEscaped && (byte === escapedEnd || byte === escapedEsc)) {
      this.#isEscaped = false
      return this.#frames.add(byte === escapedEnd ? end : esc, this.#escOffset, this.#escTimeUs)
    }
    this.release()
    if (byte === end) return this.#frames.end(offset + 1)
    if (byte !== esc) return this.#frames.add(byte, offset, timeUs)
    this.#frames.begin(offset, timeUs)
    this.#isEscaped = true
    this.#escOffset = offset
    this.#escTimeUs = timeUs
  }

  release(): void {
    if (!this.#isEscaped) return
    this.#isEscaped = false
    this.#frames.add(esc, this.#escOffset, this.#escTimeUs)
    this.#frames.setMalformed()
  }

  restart(): void {}

  setClock(): void {}

  isOverAt(): boolean {
    return false
  }

  silence(): void {}
}
