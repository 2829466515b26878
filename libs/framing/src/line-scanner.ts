import type { FrameBuilder } from "./frame-builder.ts"
import type { Scanner } from "./scanner.ts"

const lf = 0x0a
const cr = 0x0d

/** A line ends with \n, or \r\n; a \r anywhere else is a byte of the line. */
export class LineScanner implements Scanner {
  readonly #frames: FrameBuilder
  #hasReturn = false
  #returnOffset = 0
  #returnTimeUs = 0

  constructor(frames: FrameBuilder) {
    this.#frames = frames
  }

  take(byte: number, offset: number, timeUs: number): void {
    if (byte === lf) {
      this.#hasReturn = false
      this.#frames.begin(offset, timeUs)
      this.#frames.end(offset + 1)
      return
    }
    if (this.#hasReturn) this.release()
    if (byte !== cr) return this.#frames.add(byte, offset, timeUs)
    this.#frames.begin(offset, timeUs)
    this.#hasReturn = true
    this.#returnOffset = offset
    this.#returnTimeUs = timeUs
  }

  release(): void {
    if (this.#hasReturn) this.#frames.add(cr, this.#returnOffset, this.#returnTimeUs)
    this.#hasReturn = false
  }

  restart(): void {}

  setClock(): void {}

  isOverAt(): boolean {
    return false
  }

  silence(): void {}
}
