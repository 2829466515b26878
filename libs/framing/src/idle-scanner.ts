import type { FrameBuilder } from "./frame-builder.ts"
import type { Scanner } from "./scanner.ts"

/** A message ends with a silence of `idleMs` between two chunks; the one after the last chunk is the caller's to see. */
export class IdleScanner implements Scanner {
  readonly #frames: FrameBuilder
  readonly #idleUs: number
  #lastTimeUs = 0

  constructor(frames: FrameBuilder, idleMs: number) {
    this.#frames = frames
    this.#idleUs = idleMs * 1000
  }

  take(byte: number, offset: number, timeUs: number): void {
    if (this.#frames.isHolding && timeUs - this.#lastTimeUs >= this.#idleUs) this.#frames.end(offset, false)
    this.#lastTimeUs = timeUs
    this.#frames.add(byte, offset, timeUs)
  }

  release(): void {}
}
