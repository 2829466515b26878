import type { Frame } from "@serialcast/framing"
import { createWakeup } from "@serialcast/primitives"

// What a frame costs beside its bytes, roughly: empty ones must count too.
const frameCostBytes = 64

/** Frames that wait for the broker. Bounded in bytes: when one more does not fit, all that wait are dropped. */
export class FrameQueue {
  readonly #maxBytes: number
  readonly #changed = createWakeup()
  #frames: Frame[] = []
  #costBytes = 0
  #isClosed = false

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  push(frame: Frame): void {
    if (this.#costBytes + costOf(frame) > this.#maxBytes) {
      this.#frames = []
      this.#costBytes = 0
    }
    this.#frames.push(frame)
    this.#costBytes += costOf(frame)
    this.#changed.wake()
  }

  /** No more will come. */
  close(): void {
    this.#isClosed = true
    this.#changed.wake()
  }

  /** The next frame, as soon as there is one; undefined when the queue is closed and empty. */
  async take(): Promise<Frame | undefined> {
    for (;;) {
      const frame = this.#frames.shift()
      if (frame !== undefined) {
        this.#costBytes -= costOf(frame)
        return frame
      }
      if (this.#isClosed) return undefined
      await this.#changed.wait()
    }
  }
}

function costOf({ bytes }: Frame): number {
  return frameCostBytes + bytes.byteLength
}
