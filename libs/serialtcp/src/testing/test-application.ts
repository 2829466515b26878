import { type Clock, concatBytes, createWakeup } from "@serialcast/primitives"
import type { SerialtcpTcp } from "@serialcast/testkit"

export interface TestApplicationOptions {
  readonly payload: Uint8Array
  /** Sends its end after the payload. */
  readonly ends: boolean
}

/** A program at the outer end of a TCP connection: it sends its payload and keeps what it gets. For tests. */
export class TestApplication {
  readonly payload: Uint8Array
  /** How its connection ended for it. */
  outcome: "ended" | "reset" | null = null
  /** What is still to be read of it: bytes, then its end. */
  #at = 0
  #isEndRead = false
  readonly #ends: boolean
  readonly #parts: Uint8Array[] = []
  readonly #changed = createWakeup()

  constructor({ payload, ends }: TestApplicationOptions) {
    this.payload = payload
    this.#ends = ends
  }

  /** Everything that it sent was read. */
  get isRead(): boolean {
    return this.#at === this.payload.byteLength
  }

  get received(): Uint8Array {
    return concatBytes(this.#parts)
  }

  take(bytes: Uint8Array): void {
    this.#parts.push(bytes.slice())
  }

  close(outcome: "ended" | "reset"): void {
    this.outcome = outcome
    this.#changed.wake()
  }

  /** The next bytes that it sent; `ended` once; null: nothing, as yet. */
  give(maxBytes: number): Uint8Array | "ended" | null {
    if (this.#at < this.payload.byteLength) {
      const bytes = this.payload.subarray(this.#at, this.#at + maxBytes)
      this.#at += bytes.byteLength
      return bytes
    }
    if (!this.#ends || this.#isEndRead) return null
    this.#isEndRead = true
    return "ended"
  }

  /** As the existing program sees it. */
  asOriginalTcp(clock: Clock): SerialtcpTcp {
    return {
      read: async (timeoutMs) => {
        const given = this.give(64)
        if (given === null) await this.#changed.wait({ timeout: { clock, ms: timeoutMs } })
        return given ?? "timeout"
      },
      write: (bytes) => this.take(bytes),
      close: () => this.close("ended"),
    }
  }
}
