import type { MonotonicMs } from "@serialcast/primitives"

// A write that is cut short ends after the slice in hand, and is counted in slices: each is what the wire takes in this time.
const sliceMs = 250
// Fewer would cost more system calls than they are worth. More is more than one write of a session has.
const [minSliceBytes, maxSliceBytes] = [64, 64 * 1024]
// What a driver may take at once, however slow the wire is; most take 4 KiB.
const maxBufferBytes = 64 * 1024
const timesFaster = 4
// Writes that follow one another more closely are one stream of bytes to the port.
const pauseMs = 100

/** How fast a port takes bytes, and how many it gets next for that. */
export class SlicePace {
  /** Of the stream of bytes in progress. */
  #bytes = 0
  #beganMs = 0
  #lastMs = Number.NEGATIVE_INFINITY

  /** A write begins. */
  begin(nowMs: MonotonicMs): void {
    if (nowMs - this.#lastMs < pauseMs) return
    this.#bytes = 0
    this.#beganMs = nowMs
  }

  /** The port took so many. */
  took(bytes: number, nowMs: MonotonicMs): void {
    this.#bytes += bytes
    this.#lastMs = nowMs
  }

  /**
   * How many bytes go to the port next; `byteMs` is how long one is on the wire, by the port's settings. Without regard to
   * the baud rate once the port took more than a wire of that rate could have: a pseudo-terminal or a network has none,
   * and gets half as much more through with large slices.
   */
  nextBytes(byteMs: number, nowMs: MonotonicMs): number {
    const leastOnWire = Math.max(0, this.#bytes - maxBufferBytes)
    if (leastOnWire * byteMs > timesFaster * (nowMs - this.#beganMs)) return maxSliceBytes
    return Math.min(maxSliceBytes, Math.max(minSliceBytes, Math.round(sliceMs / byteMs)))
  }
}
