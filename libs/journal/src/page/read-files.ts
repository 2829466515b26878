import type { Files } from "../disk/files.ts"
import { Gate } from "../disk/gate.ts"

// Each page under way takes a thread of the pool, which has four: one is left for what ports drain. A reader that catches up
// gets a tenth more than with two (measured).
const pageLimits = { maxRunning: 3, maxWaiting: 1_000 }
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

/** The files that pages are read from: a few pages at a time, from files that stay open for a while. */
export class ReadFiles {
  readonly #files: Files
  readonly #gate = new Gate(pageLimits)
  /** Nobody reads these now; the one that was longest unread comes first. */
  readonly #kept = new Map<Readable, Pair>()
  #isClosed = false

  constructor(files: Files) {
    this.#files = files
  }

  /** Throws `overloaded` when too many wait, and what opening or `work` throws. */
  async use<T>(segment: Readable, work: (files: Pair) => Promise<T>): Promise<T> {
    return await this.#gate.run(async () => {
      const pair = this.#take(segment) ?? (await this.#open(segment))
      try {
        return await work(pair)
      } finally {
        await this.#giveBack(segment, pair)
      }
    })
  }

  async drop(segment: Readable): Promise<void> {
    const pair = this.#take(segment)
    if (pair !== undefined) await this.#close(pair)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const segment of this.#kept.keys()) await this.drop(segment)
  }

  #take(segment: Readable): Pair | undefined {
    const pair = this.#kept.get(segment)
    this.#kept.delete(segment)
    return pair
  }

  async #giveBack(segment: Readable, pair: Pair): Promise<void> {
    if (this.#isClosed || segment.isDropped || this.#kept.has(segment)) return await this.#close(pair)
    this.#kept.set(segment, pair)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > maxKept && oldest !== undefined) await this.drop(oldest)
  }

  async #open(segment: Readable): Promise<Pair> {
    const index = await this.#files.open(segment.path("index"), "r")
    try {
      return { index, data: await this.#files.open(segment.path("bytes"), "r") }
    } catch (error) {
      await this.#files.close(index)
      throw error
    }
  }

  async #close({ index, data }: Pair): Promise<void> {
    await this.#files.close(index)
    await this.#files.close(data)
  }
}
