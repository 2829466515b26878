import { AppError } from "@serialcast/contract"
import { ByteQueue } from "@serialcast/primitives"
import type { Session } from "../board/session.ts"
import type { FileSource } from "./board-files.ts"
import { takeExactly } from "./take-exactly.ts"

/** Reads a source in pieces of the size that is wanted. Holds one piece of the source, and what was asked for. */
export class SourceReader {
  readonly #session: Session
  readonly #signal: AbortSignal | undefined
  readonly #iterator: AsyncIterator<Uint8Array>
  readonly #queue = new ByteQueue()
  readonly #size: number
  #leftBytes: number

  constructor(session: Session, { size, bytes }: FileSource, signal: AbortSignal | undefined) {
    this.#session = session
    this.#signal = signal
    this.#iterator = bytes[Symbol.asyncIterator]()
    this.#size = size
    this.#leftBytes = size
  }

  get leftBytes(): number {
    return this.#leftBytes
  }

  /** The next `count` bytes, or all that are left. Throws `bad_request` when the source has other than its size. */
  async take(count: number): Promise<Uint8Array> {
    const wanted = Math.min(count, this.#leftBytes)
    while (this.#queue.byteLength < wanted) {
      const { done, value } = await this.#session.unlessAborted(this.#iterator.next(), this.#signal)
      if (done) throw this.#wrongSize("less")
      this.#queue.push(value)
    }
    this.#leftBytes -= wanted
    if (this.#queue.byteLength > this.#leftBytes + wanted) throw this.#wrongSize("more")
    return takeExactly(this.#queue, wanted)
  }

  /** At its end: throws `bad_request` when there is more. */
  async end(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#session.unlessAborted(this.#iterator.next(), this.#signal)
      if (done) return
      if (value.byteLength > 0) throw this.#wrongSize("more")
    }
  }

  /** Tells the source that no more is read. */
  close(): void {
    // Nobody waits for it: it may be the source that hangs.
    this.#iterator.return?.().then(undefined, () => {})
  }

  #wrongSize(what: "less" | "more"): AppError {
    return new AppError(
      "bad_request",
      `The source has ${what} than the ${this.#size} bytes that it was said to have.`,
    )
  }
}
