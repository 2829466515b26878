import type { FrameBuilder } from "./frame-builder.ts"
import type { Scanner } from "./scanner.ts"

/** A message ends with a silence of `idleMs` between two reads; the one after the last read is the caller's to see. */
export class IdleScanner implements Scanner {
  readonly #frames: FrameBuilder
  readonly #idleUs: number
  /** null: nothing was read since bytes were missing, and nobody knows how long it was silent. */
  #lastTimeUs: number | null = null

  constructor(frames: FrameBuilder, idleMs: number) {
    this.#frames = frames
    this.#idleUs = idleMs * 1000
  }

  take(byte: number, offset: number, timeUs: number): void {
    const silenceUs = this.#lastTimeUs === null ? 0 : timeUs - this.#lastTimeUs
    if (silenceUs >= this.#idleUs) this.#frames.end(offset)
    this.#lastTimeUs = timeUs
    this.#frames.add(byte, offset, timeUs)
  }

  release(): void {}

  restart(): void {
    this.#lastTimeUs = null
  }
}
