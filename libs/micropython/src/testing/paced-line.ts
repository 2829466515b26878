import { after, type Clock, latest, longAgo, type MonotonicMs, msUntil } from "@serialcast/primitives"

export interface PacedLineOptions {
  readonly clock: Clock
  readonly bytesPerSecond: number
  /** From the end of a byte on the line to its arrival. */
  readonly latencyMs: number
  readonly onArrived: (bytes: Uint8Array) => void
}

/** So many bytes at most arrive at a time. */
const pieceBytes = 16

/** One direction of a serial line at a pace, of which the far end is told. */
export class PacedLine {
  readonly #options: PacedLineOptions
  readonly #onTheirWay: { readonly dueMs: MonotonicMs; readonly bytes: Uint8Array }[] = []
  #freeMs = longAgo
  #isWaiting = false

  constructor(options: PacedLineOptions) {
    this.#options = options
  }

  send(bytes: Uint8Array): void {
    const { clock, bytesPerSecond, latencyMs } = this.#options
    for (let at = 0; at < bytes.byteLength; at += pieceBytes) {
      const piece = Uint8Array.from(bytes.subarray(at, at + pieceBytes))
      const beginMs = latest(this.#freeMs, clock.monotonicMs())
      this.#freeMs = after(beginMs, (1_000 * piece.byteLength) / bytesPerSecond)
      const dueMs = after(this.#freeMs, latencyMs)
      this.#onTheirWay.push({ dueMs, bytes: piece })
    }
    if (!this.#isWaiting) this.#arrive()
  }

  /** Timers of a platform are a little early or late: each looks at all. */
  #arrive(): void {
    const { clock, onArrived } = this.#options
    for (;;) {
      const [first] = this.#onTheirWay
      this.#isWaiting = first !== undefined && msUntil(clock, first.dueMs) > 0
      if (first === undefined) return
      if (this.#isWaiting) {
        clock.startTimer(Math.ceil(msUntil(clock, first.dueMs)), () => this.#arrive())
        return
      }
      this.#onTheirWay.shift()
      onArrived(first.bytes)
    }
  }
}
