import type { MonotonicMs } from "@serialcast/primitives"

/** What USB adapters gather by themselves, in milliseconds. */
export const usualRestMs = 16

// In 16 ms a device that sends less than this does not fill the 4 KiB that the kernel keeps for a reader, even when it begins
// to send ten times as fast.
const smallBytes = 256
/** A stream, not an answer to something. */
const steadyReads = 16

/**
 * When a port need not be read at once. A device that sends a little all the time costs some 90 µs of processor time for
 * each piece from the kernel to the readers, so its pieces are left to grow. Whatever comes after a silence, in large
 * pieces, or after a write is read at once. Where silences mean something, there is no rest: it would hide them.
 */
export class ReadRhythm {
  readonly #restMs: number
  #steady = 0
  #lastMs = Number.NEGATIVE_INFINITY

  /** `restMs`: between the reads of a steady trickle; 0: none. */
  constructor(restMs = 0) {
    this.#restMs = restMs
  }

  /** How long to leave the port alone after a read of `size` bytes, in milliseconds. */
  restAfter(size: number, nowMs: MonotonicMs): number {
    const isSteady = size < smallBytes && nowMs - this.#lastMs < 2 * this.#restMs
    this.#lastMs = nowMs
    this.#steady = isSteady ? this.#steady + 1 : 0
    return this.#steady < steadyReads ? 0 : this.#restMs
  }

  /** Something was written: what comes next may be the answer. */
  wrote(): void {
    this.#steady = 0
  }
}
