import type { Chunk } from "@serialcast/contract"

/** Where and when bytes were read: those of a chunk. */
export type Place = Pick<Chunk, "offset" | "timeUs" | "reads">

/** One message, without what marked its end. */
export interface Frame {
  readonly bytes: Uint8Array
  /** Of its first byte; of its end when it is empty. */
  readonly offset: number
  /** After all that belongs to it, its end included: a framer that starts there gives the next frame whole. */
  readonly end: number
  /** Microseconds since 1970 at which its first byte was read, as its chunk tells. */
  readonly timeUs: number
  /**
   * It is not known to be what the device sent as one message: a piece of one (cut at `maxBytes`, by a break in the stream, or
   * because its begin was not seen), or malformed.
   */
  readonly isCut: boolean
}

/** Collects the bytes of one message at a time. Holds at most `maxBytes`: one byte more, and what it holds is cut. */
export class FrameBuilder {
  readonly #bytes: Uint8Array
  /** Beside the array: asking that for its length at each byte takes more than half of all time (measured). */
  readonly #maxBytes: number
  #length = 0
  #offset = 0
  #timeUs = 0
  #isHolding = false
  #isMalformed = false
  /** The next byte may be in the middle of a message, whose begin was not seen, or told as a piece. */
  #isInside: boolean
  /** Bytes before it are nobody's any more. */
  #firstOffset = 0
  #done: Frame[] = []

  constructor(maxBytes: number, isInside: boolean) {
    this.#bytes = new Uint8Array(maxBytes)
    this.#maxBytes = maxBytes
    this.#isInside = isInside
  }

  /** A message has begun and not ended. */
  get isHolding(): boolean {
    return this.#isHolding
  }

  /** The next byte may be of a message whose begin was not seen. */
  get isInside(): boolean {
    return this.#isInside
  }

  get isFull(): boolean {
    return this.#length === this.#maxBytes
  }

  /** Begins a message here, unless one has begun: with its end, or with what may turn out to be its end. */
  begin(offset: number, timeUs: number): void {
    if (this.#isHolding || offset < this.#firstOffset) return
    this.#isHolding = true
    this.#offset = offset
    this.#timeUs = timeUs
  }

  add(byte: number, offset: number, timeUs: number): void {
    if (offset < this.#firstOffset) return
    if (this.isFull) this.cut(offset, true)
    this.begin(offset, timeUs)
    this.#bytes[this.#length++] = byte
  }

  /** The message that has begun breaks its protocol. */
  setMalformed(): void {
    this.#isMalformed = true
  }

  /** The message that has begun, if one has, ends before offset `end` with all that belongs to it; the next one begins. */
  end(end: number): void {
    const isRest = this.#isInside && this.#length === 0
    if (this.#isHolding && !isRest) this.#tell(end, this.#isInside)
    this.#clear(false)
  }

  /** What is held, if something is, ends here as a piece. `isInside`: the next byte may be of the same message. */
  cut(end: number, isInside: boolean): void {
    if (this.#isHolding) this.#tell(end, true)
    this.#clear(isInside)
  }

  /** Forgets a message that has begun before `offset` and whose begin was not seen, with what still comes of it. */
  skipTo(offset: number): void {
    if (!this.#isInside) return
    this.#firstOffset = offset
    this.#clear(true)
  }

  #tell(end: number, isCut: boolean): void {
    const bytes = this.#bytes.slice(0, this.#length)
    const place = { offset: this.#offset, end, timeUs: this.#timeUs }
    this.#done.push({ bytes, ...place, isCut: isCut || this.#isMalformed })
  }

  #clear(isInside: boolean): void {
    this.#length = 0
    this.#isHolding = false
    this.#isMalformed = false
    this.#isInside = isInside
  }

  /** The messages that ended since it was last asked. */
  take(): readonly Frame[] {
    const done = this.#done
    this.#done = []
    return done
  }
}
