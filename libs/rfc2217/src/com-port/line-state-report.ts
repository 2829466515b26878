/** RFC 2217, section 3, SET-LINESTATE-MASK. */
const initialMask = 0

/**
 * Says when a client is told the line state: whenever a bit of its mask is set (RFC 2217, section 3, NOTIFY-LINESTATE),
 * because those bits are events. What comes up while the client may not be told is told together later.
 */
export class LineStateReport {
  #mask = initialMask
  #pending = 0

  setMask(mask: number): void {
    this.#mask = mask
    this.#pending &= mask
  }

  /** A session begins. */
  start(): void {
    this.#mask = initialMask
    this.#pending = 0
  }

  update(bits: number): void {
    this.#pending |= bits & this.#mask
  }

  /** The bits to notify now; null when nothing is due. */
  takeDue(): number | null {
    const due = this.#pending
    this.#pending = 0
    return due === 0 ? null : due
  }
}
