import type { Clock } from "@serialcast/primitives"

export interface TestLineOptions {
  readonly clock: Clock
  /** What one transmission takes, and how many bytes it is. */
  readonly pieceMs: number
  readonly pieceBytes: number
  /** From the end of a transmission to its arrival. */
  readonly latencyMs: number
  readonly onArrived: (bytes: Uint8Array) => void
}

/** One direction of a serial cable, at a pace. For tests. */
export class TestLine {
  /** How many bytes were transmitted so far. */
  sentBytes = 0
  /** Called after each transmission. */
  onSent: () => void = () => {}
  readonly #options: TestLineOptions
  #queue: number[] = []
  #isSending = false
  #onDrained: (() => void)[] = []

  constructor(options: TestLineOptions) {
    this.#options = options
  }

  get queuedBytes(): number {
    return this.#queue.length
  }

  write(bytes: Uint8Array): void {
    this.#queue.push(...bytes)
    this.#sendNext()
  }

  discard(): void {
    this.#queue = []
    this.#tellDrained()
  }

  /** Calls back once, when nothing waits to be transmitted. */
  whenDrained(then: () => void): void {
    this.#onDrained.push(then)
    if (!this.#isSending) this.#tellDrained()
  }

  /** What was written stays in the cable; nobody is told any more. */
  abandon(): void {
    this.#onDrained = []
  }

  #sendNext(): void {
    if (this.#isSending || this.#queue.length === 0) return
    this.#isSending = true
    const { clock, pieceMs, pieceBytes, latencyMs, onArrived } = this.#options
    clock.startTimer(pieceMs, () => {
      this.#isSending = false
      const piece = Uint8Array.from(this.#queue.splice(0, pieceBytes))
      this.sentBytes += piece.byteLength
      if (piece.byteLength > 0) clock.startTimer(latencyMs, () => onArrived(piece))
      this.#sendNext()
      this.onSent()
      if (!this.#isSending) this.#tellDrained()
    })
  }

  #tellDrained(): void {
    for (const tell of this.#onDrained.splice(0)) tell()
  }
}
