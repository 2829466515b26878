import type { IncomingMessage } from "node:http"
import { ByteQueue, type LoopTurns } from "@serialcast/primitives"

/** Chunks that a body may have before others have their turn: of the usual 64 KiB it has as many in 64 MiB. */
const mostChunks = 1_024

export interface IntakeOptions {
  readonly turns: LoopTurns
  /** Called when something came, or the request is over. */
  readonly onNews: () => void
  /** Whether more may come now. */
  readonly hasRoom: () => boolean
}

/**
 * Takes in a body where it costs what it counts, from the moment that it is made. Node's parser hands each chunk to `push`,
 * and reads no more from the socket once that answers false; a request that is merely paused would keep the chunks of a whole
 * read as objects, which for single bytes are megabytes.
 */
export class BodyIntake implements Disposable {
  readonly queue = new ByteQueue()
  readonly #request: IncomingMessage
  readonly #options: IntakeOptions
  readonly #push: IncomingMessage["push"]
  readonly #end: () => void
  #isOver: boolean
  #chunks = 0
  #isWaiting = false

  constructor(request: IncomingMessage, options: IntakeOptions) {
    this.#request = request
    this.#options = options
    this.#isOver = request.destroyed
    this.#end = () => {
      this.#isOver = true
      options.onNews()
    }
    request.once("end", this.#end).once("close", this.#end)
    for (let early: unknown = request.read(); early !== null; early = request.read()) {
      // Nobody has set an encoding: the chunks are bytes.
      this.queue.push(early as Uint8Array)
    }
    this.#push = request.push.bind(request)
    request.push = (chunk: Uint8Array | null) => (chunk === null ? this.#push(null) : this.#take(chunk))
    // For its end, which waits behind the data that nobody finds there.
    request.resume()
  }

  /** Nothing more comes: all of the body is there (`request.complete`), or the client is gone. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Lets the parser go on, where it had to stop for want of room. */
  goOn(): void {
    if (!this.#isWaiting) this.#request._read(0)
  }

  /** What still comes is the request's again, for whoever discards it. */
  [Symbol.dispose](): void {
    this.#request.push = this.#push
    this.#request.off("end", this.#end).off("close", this.#end)
  }

  #take(chunk: Uint8Array): boolean {
    this.queue.push(chunk)
    this.#options.onNews()
    this.#chunks += 1
    if (this.#chunks >= mostChunks && !this.#isWaiting) {
      this.#isWaiting = true
      this.#options.turns.wait(() => {
        this.#isWaiting = false
        this.#chunks = 0
        if (this.#options.hasRoom()) this.goOn()
      })
    }
    return !this.#isWaiting && this.#options.hasRoom()
  }
}
