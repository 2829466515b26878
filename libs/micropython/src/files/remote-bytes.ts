import type { Session, Turn } from "../board/session.ts"
import type { SendingBoard } from "./get-file.ts"

/**
 * The bytes of a file, once, as an iterable that has the board until it ends: at the end of the file, when the reader
 * returns or throws, when something goes wrong, and when the board is given back.
 */
export class RemoteBytes implements AsyncIterableIterator<Uint8Array> {
  readonly #session: Session
  readonly #board: SendingBoard
  readonly #turn: Turn
  readonly #signal: AbortSignal | undefined
  readonly #onAbort = () => void this.#abandon()
  #isPulling = false
  #isOver = false
  /** The board is brought to the end of its program. */
  #ending: Promise<void> = Promise.resolve()

  constructor(
    session: Session,
    { board, turn, signal }: { board: SendingBoard; turn: Turn; signal: AbortSignal | undefined },
  ) {
    this.#session = session
    this.#board = board
    this.#turn = turn
    this.#signal = signal
    for (const one of [turn.signal, signal]) one?.addEventListener("abort", this.#onAbort)
    if (turn.signal.aborted || signal?.aborted) void this.#abandon()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#isOver) {
      await this.#ending
      this.#session.checkAborted(this.#signal)
      return { done: true, value: undefined }
    }
    this.#isPulling = true
    try {
      const value = await this.#board.next()
      if (value !== null && !this.#isAborted) return { done: false, value }
      if (value !== null) await this.#board.giveUp()
      this.#end()
      this.#session.checkAborted(this.#signal)
      return { done: true, value: undefined }
    } catch (error) {
      this.#end()
      throw error
    } finally {
      this.#isPulling = false
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (!this.#isOver) {
      this.#isOver = true
      // What fails here leaves the board to be taken over again, by whoever asks next.
      this.#ending = this.#board.giveUp().then(
        () => this.#end(),
        () => this.#end(),
      )
    }
    await this.#ending
    return { done: true, value: undefined }
  }

  get #isAborted(): boolean {
    return this.#turn.signal.aborted || this.#signal?.aborted === true
  }

  /** Nobody pulls, so nobody would notice. */
  async #abandon(): Promise<void> {
    if (!this.#isPulling) await this.return()
  }

  #end(): void {
    this.#isOver = true
    for (const one of [this.#turn.signal, this.#signal]) one?.removeEventListener("abort", this.#onAbort)
    this.#turn.end()
  }
}
