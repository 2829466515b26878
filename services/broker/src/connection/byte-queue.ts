const blockBytes = 64 * 1024

interface Block {
  readonly bytes: Uint8Array
  filled: number
}

/**
 * First in, first out. Copies what it takes into blocks, so that many small pieces cost no more memory than their
 * bytes, and leave as few large ones.
 */
export class ByteQueue {
  readonly #blocks: Block[] = []
  #size = 0

  /** Bytes held. */
  get size(): number {
    return this.#size
  }

  push(bytes: Uint8Array): void {
    this.#size += bytes.byteLength
    for (let at = 0; at < bytes.byteLength; ) {
      const block = this.#lastWithRoom()
      const part = bytes.subarray(at, at + blockBytes - block.filled)
      block.bytes.set(part, block.filled)
      block.filled += part.byteLength
      at += part.byteLength
    }
  }

  /** The oldest bytes, at most 64 KiB of them; undefined when there are none. */
  shift(): Uint8Array | undefined {
    const block = this.#blocks.shift()
    if (block === undefined) return undefined
    this.#size -= block.filled
    return block.bytes.subarray(0, block.filled)
  }

  #lastWithRoom(): Block {
    const last = this.#blocks.at(-1)
    if (last !== undefined && last.filled < blockBytes) return last
    const block = { bytes: new Uint8Array(blockBytes), filled: 0 }
    this.#blocks.push(block)
    return block
  }
}
