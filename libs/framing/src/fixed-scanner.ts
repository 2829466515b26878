import type { FrameBuilder } from "./frame-builder.ts"
import type { Scanner } from "./scanner.ts"

/** A message is as long as the builder holds. */
export class FixedScanner implements Scanner {
  readonly #frames: FrameBuilder

  constructor(frames: FrameBuilder) {
    this.#frames = frames
  }

  take(byte: number, offset: number, timeUs: number): void {
    this.#frames.add(byte, offset, timeUs)
    if (this.#frames.isFull) this.#frames.end(offset + 1, false)
  }

  release(): void {}
}
