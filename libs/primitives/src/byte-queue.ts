const smallestBlock = 1_024
/** As much as a socket gives at a time; so little is never worth two blocks for long. */
const largestBlock = 64 * 1_024

/**
 * Bytes in the order in which they came. They are copied into blocks, so that what is held costs about what it counts: a
 * sender may give bytes one by one, and each piece of its own would cost a hundred bytes more, or hold the whole buffer of
 * which it is a part.
 */
export class ByteQueue {
  /** Whole ones but for the first, of which the front is taken, and the last, whose end is free. */
  readonly #blocks: Uint8Array[] = []
  #takenOfFirst = 0
  #freeInLast = 0
  #byteLength = 0
  #heldBytes = 0

  get byteLength(): number {
    return this.#byteLength
  }

  /** What its blocks take in memory: a quarter more than they hold, and a block, of 64 KiB at most, of which a part was taken. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  push(bytes: Uint8Array): void {
    let at = 0
    while (at < bytes.byteLength) {
      const last = this.#lastWithRoom(bytes.byteLength - at)
      const isWhole = at === 0 && bytes.byteLength <= this.#freeInLast
      const piece = isWhole ? bytes : bytes.subarray(at, at + this.#freeInLast)
      last.set(piece, last.byteLength - this.#freeInLast)
      this.#freeInLast -= piece.byteLength
      this.#byteLength += piece.byteLength
      at += piece.byteLength
    }
  }

  /** The next bytes, at most `maxBytes` of them and of one block, which the queue forgets; empty when there are none. */
  take(maxBytes: number): Uint8Array {
    const [first] = this.#blocks
    if (first === undefined) return new Uint8Array(0)
    const end = first.byteLength - (this.#blocks.length === 1 ? this.#freeInLast : 0)
    const piece = first.subarray(this.#takenOfFirst, Math.min(end, this.#takenOfFirst + maxBytes))
    this.#takenOfFirst += piece.byteLength
    this.#byteLength -= piece.byteLength
    if (this.#byteLength === 0) this.#freeInLast = 0
    if (this.#takenOfFirst === first.byteLength || this.#byteLength === 0) this.#dropFirst(first)
    return piece
  }

  /** All bytes in one array; the queue is empty then. */
  takeAll(): Uint8Array {
    const whole = new Uint8Array(this.#byteLength)
    for (let at = 0; at < whole.byteLength; ) {
      const piece = this.take(largestBlock)
      whole.set(piece, at)
      at += piece.byteLength
    }
    return whole
  }

  #lastWithRoom(wantedBytes: number): Uint8Array {
    const last = this.#blocks.at(-1)
    if (last !== undefined && this.#freeInLast > 0) return last
    // In proportion to what is there: a short queue costs little, a long one has few blocks.
    const wanted = Math.max(smallestBlock, wantedBytes, this.#byteLength >> 2)
    const block = new Uint8Array(Math.min(largestBlock, wanted))
    this.#blocks.push(block)
    this.#heldBytes += block.byteLength
    this.#freeInLast = block.byteLength
    return block
  }

  #dropFirst(first: Uint8Array): void {
    this.#blocks.shift()
    this.#heldBytes -= first.byteLength
    this.#takenOfFirst = 0
  }
}
