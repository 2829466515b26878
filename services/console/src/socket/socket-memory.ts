import type { ByteAccount } from "@serialcast/primitives"

/** Of a frame of control that a client sends: two bytes, and the key of its mask (RFC 6455 §5.2, §5.5). */
const controlHeadBytes = 6
const largestControl = controlHeadBytes + 125
/** Pieces of a message that fit into as much, each in a read of its own, of 64 KiB at most. */
const mostPinned = 19 * 64 * 1024

/**
 * What one socket holds of what its client sent: the message that is coming in and the writes that wait. A piece of a message
 * holds all of the read from the network that it came with, also where the rest of that was control, which nobody keeps.
 */
export class SocketMemory {
  readonly #account: ByteAccount
  readonly #onFull: () => void
  /** Of the message so far: what came beside control; what its reads hold; and of how much of it that is. */
  #messageBytes = 0
  #heldBytes = 0
  #heldOf = 0
  /** What came after that. */
  #recentBytes = 0
  #waitingBytes = 0

  /** `onFull` is called when there is no room for what came. */
  constructor(account: ByteAccount, onFull: () => void) {
    this.#account = account
    this.#onFull = onFull
  }

  /** So many bytes came, of which nothing is made yet. */
  read(bytes: number): void {
    if (this.#messageBytes - this.#heldOf > largestControl) {
      this.#heldBytes += Math.min(this.#recentBytes, mostPinned)
      this.#heldOf = this.#messageBytes
      this.#recentBytes = 0
    }
    this.#messageBytes += bytes
    this.#recentBytes += bytes
    if (!this.#settle()) this.#onFull()
  }

  /** A ping or pong with so much in it. */
  tookControl(bytes: number): void {
    this.#messageBytes = Math.max(0, this.#messageBytes - controlHeadBytes - bytes)
    this.#settle()
  }

  /** A message is whole, and has become a write or is over. */
  tookMessage(): void {
    this.#messageBytes = 0
    this.#heldBytes = 0
    this.#heldOf = 0
    this.#recentBytes = 0
    this.#settle()
  }

  /** So much is held by writes now. */
  waits(bytes: number): void {
    this.#waitingBytes = bytes
    this.#settle()
  }

  #settle(): boolean {
    return this.#account.resize(Math.max(this.#heldBytes, this.#messageBytes) + this.#waitingBytes)
  }
}
