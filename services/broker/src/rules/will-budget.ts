/** The longest will, topic and payload, in bytes: a status or a report fits in. */
const maxWillBytes = 64 * 1024
/** All wills together: those of a thousand services, or a few hundred strangers' long ones. */
const maxTotalBytes = 16 * 1024 * 1024

/** Bounds the memory of wills, which are held as long as their connections, whatever these do. */
export class WillBudget {
  readonly #byHolder = new Map<object, number>()
  #totalBytes = 0

  /** Whether a connection may have a will of so many bytes. */
  admit(holder: object, bytes: number): boolean {
    if (bytes > maxWillBytes || this.#totalBytes + bytes > maxTotalBytes) return false
    this.release(holder)
    this.#byHolder.set(holder, bytes)
    this.#totalBytes += bytes
    return true
  }

  /** The connection is over. */
  release(holder: object): void {
    this.#totalBytes -= this.#byHolder.get(holder) ?? 0
    this.#byHolder.delete(holder)
  }
}
