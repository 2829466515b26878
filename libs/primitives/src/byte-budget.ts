export interface ByteBudgetOptions {
  /** What all accounts together may hold, in bytes, beside what is free for each. */
  readonly totalBytes: number
  /** What each account may hold in any case. Bounded by how many accounts there can be. */
  readonly freeBytes: number
}

/**
 * Memory for what comes from outside. It counts what is held, not what is announced, and gives each owner at most as much as
 * it leaves for others: one greedy owner gets half, two a third each, and there is always room for one more. What is small
 * always passes.
 */
export class ByteBudget {
  readonly #totalBytes: number
  readonly #freeBytes: number
  readonly #byOwner = new Map<string, number>()
  #heldBytes = 0

  constructor({ totalBytes, freeBytes }: ByteBudgetOptions) {
    this.#totalBytes = totalBytes
    this.#freeBytes = freeBytes
  }

  /** What is held beyond what is free. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** An account that holds nothing so far; `owner` is whose share it takes from. */
  open(owner: string): ByteAccount {
    let charged = 0
    let isClosed = false
    const resize = (bytes: number) => {
      if (isClosed) return false
      const wanted = Math.max(0, bytes - this.#freeBytes)
      const isMore = wanted > charged
      const ofOwner = (this.#byOwner.get(owner) ?? 0) + wanted - charged
      const held = this.#heldBytes + wanted - charged
      if (isMore && ofOwner > this.#totalBytes - held) return false
      charged = wanted
      this.#heldBytes = held
      if (ofOwner === 0) this.#byOwner.delete(owner)
      else this.#byOwner.set(owner, ofOwner)
      return true
    }
    const close = () => {
      resize(0)
      isClosed = true
    }
    return { resize, [Symbol.dispose]: close }
  }
}

/** What one request, message or reader holds. Disposing it gives it back, for good. */
export interface ByteAccount extends Disposable {
  /** Holds so many bytes from now on, in place of what it held; false, and nothing changes, when there is no room. */
  resize(bytes: number): boolean
}
