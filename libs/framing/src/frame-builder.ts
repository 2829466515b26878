/** Where and when a byte was read: its offset in the stream, and microseconds since 1970. */
export interface Place {
  readonly offset: number
  readonly timeUs: number
}

/** One message, without what marked its end. */
export interface Frame {
  readonly bytes: Uint8Array
  /** Of its first byte; of its end when it is empty. */
  readonly offset: number
  /** After all that belongs to it, its end included: a framer that starts there gives the next frame whole. */
  readonly end: number
  /** Microseconds since 1970 at which its first byte was read, as its chunk tells. */
  readonly timeUs: number
  /** It is not what the device sent as one message: cut at `maxBytes` or by a break in the stream, or malformed. */
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
  #done: Frame[] = []

  constructor(maxBytes: number) {
    this.#bytes = new Uint8Array(maxBytes)
    this.#maxBytes = maxBytes
  }

  /** A message has begun and not ended. */
  get isHolding(): boolean {
    return this.#isHolding
  }

  get isFull(): boolean {
    return this.#length === this.#maxBytes
  }

  /** Begins a message here, unless one has begun: with its end, or with what may turn out to be its end. */
  begin(offset: number, timeUs: number): void {
    if (this.#isHolding) return
    this.#isHolding = true
    this.#offset = offset
    this.#timeUs = timeUs
  }

  add(byte: number, offset: number, timeUs: number): void {
    if (this.isFull) this.end(offset, true)
    this.begin(offset, timeUs)
    this.#bytes[this.#length++] = byte
  }

  /** The message that has begun breaks its protocol. */
  setMalformed(): void {
    this.#isMalformed = true
  }

  /** Ends the message that has begun; what belongs to it ends at offset `end`. */
  end(end: number, isCut: boolean): void {
    const bytes = this.#bytes.slice(0, this.#length)
    const place = { offset: this.#offset, end, timeUs: this.#timeUs }
    this.#done.push({ bytes, ...place, isCut: isCut || this.#isMalformed })
    this.#length = 0
    this.#isHolding = false
    this.#isMalformed = false
  }

  /** The messages that ended since it was last asked. */
  take(): readonly Frame[] {
    const done = this.#done
    this.#done = []
    return done
  }
}
