import { writeSync } from "node:fs"
import { encodeCount, encodeFrame, frameKinds } from "../frames.ts"
import type { Ring } from "./ring.ts"

/** Ctrl-C came while the program waited: it is told, and nothing was read or written. */
export class Interrupted extends Error {}

/** The serial port of a simulated board, as its program sees it. */
export class Uart {
  readonly #ring: Ring
  #isInterrupted = false
  #droppedTold = 0

  constructor(ring: Ring) {
    this.#ring = ring
  }

  get dropped(): number {
    return this.#ring.dropped
  }

  get hasUnread(): boolean {
    return this.#ring.unread > 0
  }

  set isReading(isReading: boolean) {
    this.#ring.isReading = isReading
  }

  /**
   * Ends what the program waits for, or is about to. When it does not wait, the next wait is for nothing, after which the
   * C library tries again.
   */
  interrupt(): void {
    this.#isInterrupted = true
  }

  /** Waits for the next byte of the REPL, which Ctrl-C is one of. */
  nextByte(): number {
    this.#isInterrupted = false
    this.#ring.isReading = true
    for (let byte = this.#ring.take(); ; byte = this.#ring.take()) {
      if (byte !== undefined) return byte
      this.#ring.wait(() => this.hasUnread)
    }
  }

  /** Waits for bytes, and gives those that are there. Throws `Interrupted`. */
  readInto(buffer: Uint8Array): number {
    this.#ring.isReading = true
    try {
      this.#wait(() => this.hasUnread)
      let count = 0
      for (let byte; count < buffer.byteLength && (byte = this.#ring.take()) !== undefined; count++)
        buffer[count] = byte
      return count
    } finally {
      this.#ring.isReading = false
    }
  }

  /**
   * Waits until all bytes are on their way. Ctrl-C is no end of it, as on a board: nothing is left out of what is printed.
   */
  send(bytes: Uint8Array): void {
    this.tellDropped()
    for (let at = 0; at < bytes.byteLength; ) {
      this.#ring.wait(() => this.#ring.sendable > 0)
      const part = bytes.subarray(at, at + this.#ring.sendable)
      this.#ring.allow(-part.byteLength)
      writeFrame(encodeFrame(frameKinds.sent, part))
      at += part.byteLength
    }
  }

  /** Throws `Interrupted`. */
  sleep(timeMs: number): void {
    this.#wait(() => false, timeMs)
    this.tellDropped()
  }

  tellDropped(): void {
    if (this.dropped === this.#droppedTold) return
    this.#droppedTold = this.dropped
    writeFrame(encodeCount(frameKinds.dropped, this.#droppedTold))
  }

  #wait(isOver: () => boolean, timeoutMs?: number): void {
    this.#ring.wait(() => this.#isInterrupted || isOver(), timeoutMs)
    if (!this.#isInterrupted) return
    this.#isInterrupted = false
    throw new Interrupted()
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4))

/** Waits until the pipe took it: Node may have it such that it refuses what it has no room for at the moment. */
export function writeFrame(frame: Uint8Array): void {
  for (let at = 0; at < frame.byteLength; ) {
    try {
      at += writeSync(1, frame, at)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error
      Atomics.wait(pause, 0, 0, 1)
    }
  }
}
