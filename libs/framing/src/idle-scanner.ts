import type { FrameBuilder } from "./frame-builder.ts"
import type { Scanner } from "./scanner.ts"

/** A message ends with a silence of `idleMs` between two reads; the one after the last read is the caller's to see. */
export class IdleScanner implements Scanner {
  readonly #frames: FrameBuilder
  readonly #idleUs: number
  /** When the last byte was read, or the port was opened; null: nobody knows how long it has been silent. */
  #lastTimeUs: number | null = null
  /** The message was taken to be over. */
  #isSilent = false

  constructor(frames: FrameBuilder, idleMs: number) {
    this.#frames = frames
    this.#idleUs = idleMs * 1000
  }

  take(byte: number, offset: number, timeUs: number): void {
    if (this.isOverAt(timeUs)) this.#frames.end(offset)
    // It was not: what was told as a message goes on.
    else if (this.#isSilent) this.#frames.cut(offset, true)
    this.#isSilent = false
    this.#lastTimeUs = timeUs
    this.#frames.add(byte, offset, timeUs)
  }

  release(): void {}

  restart(_isOpening: boolean, sinceUs: number | null): void {
    this.#lastTimeUs = sinceUs
    this.#isSilent = false
  }

  setClock(stepUs: number): void {
    if (this.#lastTimeUs !== null) this.#lastTimeUs += stepUs
  }

  isOverAt(timeUs: number): boolean {
    return this.#lastTimeUs !== null && timeUs - this.#lastTimeUs >= this.#idleUs
  }

  silence(): void {
    this.#isSilent = true
  }
}
