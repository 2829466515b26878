import { AppError } from "@serialcast/contract"
import { Gate } from "@serialcast/primitives"
import type { Files } from "../disk/files.ts"

// Each page under way takes a thread of the pool, which has four, and which ports drain by too. A reader that catches up gets
// a tenth more than with two (measured).
const maxRunning = 3
const maxWaiting = 1_000
// A reader that catches up asks for page after page of one segment: opening and closing took two thirds of its time.
const maxKept = 4

export interface Pair {
  readonly index: number
  readonly data: number
}

/** What of a segment is read. */
export interface Readable {
  readonly isDropped: boolean
  path(kind: "bytes" | "index"): string
}

interface Opened {
  readonly pair: Promise<Pair>
  /** Pages that are being read from it. */
  users: number
}

/** The files that pages are read from: a few pages at a time, from files that stay open for a while. */
export class ReadFiles {
  readonly #files: Files
  readonly #gate = new Gate({ maxRunning, maxWaiting, refusal: tooManyPages })
  /** The one that was asked for last is last. */
  readonly #opened = new Map<Readable, Opened>()
  #isClosed = false

  constructor(files: Files) {
    this.#files = files
  }

  /** Throws `overloaded` when too many wait, and what opening or `work` throws. */
  async use<T>(segment: Readable, work: (files: Pair) => Promise<T>): Promise<T> {
    return await this.#gate.run(async () => {
      const opened = this.#opened.get(segment) ?? { pair: this.#open(segment), users: 0 }
      this.#opened.delete(segment)
      this.#opened.set(segment, opened)
      opened.users++
      try {
        return await work(await opened.pair)
      } finally {
        opened.users--
        await this.#closeUnused()
      }
    })
  }

  /** The segment is gone: its files are closed, or will be when nobody reads them any more. */
  async drop(segment: Readable): Promise<void> {
    if (this.#opened.get(segment)?.users === 0) await this.#closeAll([segment])
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#closeUnused()
  }

  async #closeUnused(): Promise<void> {
    const unused = [...this.#opened].filter(([, { users }]) => users === 0).map(([segment]) => segment)
    const newest = unused.slice(-maxKept)
    const isWanted = (segment: Readable) => !this.#isClosed && !segment.isDropped && newest.includes(segment)
    await this.#closeAll(unused.filter((segment) => !isWanted(segment)))
  }

  /** Of these, none is in use. */
  async #closeAll(segments: readonly Readable[]): Promise<void> {
    const pairs = segments.map((segment) => this.#opened.get(segment)?.pair)
    // At once: whoever comes to read one now opens it anew.
    for (const segment of segments) this.#opened.delete(segment)
    for (const opening of pairs) {
      const pair = await opening
      // What was read is whole, whatever becomes of the descriptors.
      if (pair !== undefined)
        await Promise.allSettled([this.#files.close(pair.index), this.#files.close(pair.data)])
    }
  }

  async #open(segment: Readable): Promise<Pair> {
    try {
      const index = await this.#files.open(segment.path("index"), "r")
      try {
        return { index, data: await this.#files.open(segment.path("bytes"), "r") }
      } catch (error) {
        await this.#files.close(index)
        throw error
      }
    } catch (error) {
      // The next one who asks tries again.
      this.#opened.delete(segment)
      throw error
    }
  }
}

function tooManyPages(): AppError {
  return new AppError("overloaded", `More than ${maxWaiting} pages of the journal are wanted at once.`)
}
