/** Small enough for a ring of a quiet device, large enough for the 400 bytes of a block's objects not to count. */
const blockBytes = 16 * 1024

/**
 * Blocks that a store let go of, for whichever wants one next. A store lets go of a batch at once, as the disk took it: were
 * they garbage, a flood would have the engine collect all of it every 5 MB (measured).
 */
const spares: Uint8Array[] = []
/** Of all stores together: what two of them let go of at once. */
const maxSpares = 32

/** Consecutive bytes of a stream, found by their offset. */
export interface Bytes {
  append(bytes: Uint8Array): void
  /** The bytes from one offset to another, both of which must be kept: nobody changes them afterwards. */
  copy(from: number, to: number): Uint8Array
  /** Those before `offset` are not wanted any more. */
  dropBefore(offset: number): void
}

/**
 * They lie in blocks of one size: what is dropped in front gives its block to what is appended behind, so that a store of
 * constant size makes no garbage.
 */
export class ByteStore implements Bytes {
  #blocks: Uint8Array[] = []
  /** Offset of the first block's first byte. */
  #firstOffset: number
  #end: number

  constructor(start: number) {
    this.#firstOffset = start
    this.#end = start
  }

  /** Copies `bytes`. */
  append(bytes: Uint8Array): void {
    let at = this.#end - this.#firstOffset
    this.#end += bytes.byteLength
    for (let taken = 0; taken < bytes.byteLength; ) {
      const inBlock = at % blockBytes
      const count = Math.min(bytes.byteLength - taken, blockBytes - inBlock)
      this.#blockAt(at).set(
        count === bytes.byteLength ? bytes : bytes.subarray(taken, taken + count),
        inBlock,
      )
      taken += count
      at += count
    }
  }

  /** A copy of the bytes from one offset to another, both of which must be kept. */
  copy(from: number, to: number): Uint8Array {
    let at = from - this.#firstOffset
    const inFirst = at % blockBytes
    if (inFirst + (to - from) <= blockBytes) return this.#blockAt(at).slice(inFirst, inFirst + (to - from))
    const whole = new Uint8Array(to - from)
    for (let filled = 0; filled < whole.byteLength; ) {
      const inBlock = at % blockBytes
      const count = Math.min(whole.byteLength - filled, blockBytes - inBlock)
      whole.set(this.#blockAt(at).subarray(inBlock, inBlock + count), filled)
      filled += count
      at += count
    }
    return whole
  }

  /** Lets go of the bytes before `offset`, a block at a time. */
  dropBefore(offset: number): void {
    while (offset - this.#firstOffset >= blockBytes) {
      const block = this.#blocks.shift()
      if (block !== undefined && spares.length < maxSpares) spares.push(block)
      this.#firstOffset += blockBytes
    }
  }

  /** The block of a place, counted from the first block's first byte; a new one behind the last. */
  #blockAt(at: number): Uint8Array {
    const index = Math.floor(at / blockBytes)
    const known = this.#blocks[index]
    if (known !== undefined) return known
    const block = spares.pop() ?? new Uint8Array(blockBytes)
    this.#blocks[index] = block
    return block
  }
}
