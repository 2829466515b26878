import { after, concatBytes, longAgo, type MonotonicMs } from "@serialcast/primitives"
import type { Conversation } from "./conversation.ts"

const nothing = new Uint8Array(0)

/**
 * What the parts of a conversation with one board share: what came and was not taken yet, and the time. Holds what one
 * read gave, and what was given back.
 */
export class Talk {
  #held: Uint8Array = nothing
  #nowMs = longAgo

  /** When the last thing was heard, or looked for. */
  get nowMs(): MonotonicMs {
    return this.#nowMs
  }

  *send(...parts: readonly (Uint8Array | number)[]): Conversation<void> {
    const send = concatBytes(parts.map((part) => (typeof part === "number" ? Uint8Array.of(part) : part)))
    this.#nowMs = (yield { send, waitMs: 0 }).nowMs
  }

  /** The time `ms` from now. */
  *deadline(ms: number): Conversation<MonotonicMs> {
    this.#nowMs = (yield { waitMs: 0 }).nowMs
    return after(this.#nowMs, ms)
  }

  /** What is there, or comes before `deadlineMs`; null: nothing. */
  *some(deadlineMs: MonotonicMs): Conversation<Uint8Array | null> {
    if (this.#held.byteLength === 0) yield* this.#hear(deadlineMs)
    const bytes = this.#held
    this.#held = nothing
    return bytes.byteLength === 0 ? null : bytes
  }

  *byte(deadlineMs: MonotonicMs): Conversation<number | null> {
    const bytes = yield* this.some(deadlineMs)
    if (bytes === null) return null
    this.#held = bytes.subarray(1)
    return bytes[0] ?? null
  }

  /** Exactly so many bytes; null when fewer came, which are lost then. */
  *exactly(count: number, deadlineMs: MonotonicMs): Conversation<Uint8Array | null> {
    const whole = new Uint8Array(count)
    for (let at = 0; at < count; ) {
      const bytes = yield* this.some(deadlineMs)
      if (bytes === null) return null
      const piece = bytes.subarray(0, count - at)
      whole.set(piece, at)
      at += piece.byteLength
      this.giveBack(bytes.subarray(piece.byteLength))
    }
    return whole
  }

  /** Reads on until what was heard here ends in `mark`, and forgets it; false: it did not come. */
  *past(mark: Uint8Array, deadlineMs: MonotonicMs): Conversation<boolean> {
    let tail: number[] = []
    for (;;) {
      const byte = yield* this.byte(deadlineMs)
      if (byte === null) return false
      tail = [...tail, byte].slice(-mark.byteLength)
      if (tail.length === mark.byteLength && mark.every((value, at) => value === tail[at])) return true
    }
  }

  /** What came and belongs to what is read next. */
  giveBack(bytes: Uint8Array): void {
    this.#held = this.#held.byteLength === 0 ? bytes : concatBytes([bytes, this.#held])
  }

  /** Forgets what came. */
  forget(): void {
    this.#held = nothing
  }

  *#hear(deadlineMs: MonotonicMs): Conversation<void> {
    for (;;) {
      const waitMs = Math.max(0, deadlineMs - this.#nowMs)
      const { bytes, nowMs } = yield { waitMs }
      this.#nowMs = nowMs
      if (bytes !== null) this.#held = bytes
      // A wait may end early: whoever waits does so in parts.
      if (this.#held.byteLength > 0 || waitMs === 0) return
    }
  }
}
