import type { Clock, Timer } from "@serialcast/primitives"
import type { SegmentWriter } from "./segment-writer.ts"

export interface SyncerOptions {
  readonly syncMs: number
  readonly clock: Clock
  /** null: the disk takes what is synced again. */
  readonly onOutcome: (error: unknown) => void
}

/**
 * Puts what was written onto the medium, at most every `syncMs` and only when there is something: a power failure costs
 * what came in since. At 1 s, a device that sends 16 bytes at a time at 115,200 baud has 3.7 bytes written to the medium
 * for each of its own (three are the bytes and their index entry), and one that sends a byte a second some 5 KB each time:
 * a page of each file (write_bytes of /proc/self/io, ext4).
 */
export class Syncer {
  readonly #options: SyncerOptions
  readonly #unsynced = new Set<SegmentWriter>()
  #timer: Timer | null = null
  #work: Promise<void> = Promise.resolve()

  constructor(options: SyncerOptions) {
    this.#options = options
  }

  /** `writer` wrote something. */
  touch(writer: SegmentWriter): void {
    this.#unsynced.add(writer)
    if (this.#timer === null) this.#startTimer()
  }

  /** `writer` will write nothing more: it is synced and closed. */
  retire(writer: SegmentWriter): void {
    this.#unsynced.delete(writer)
    this.#enqueue(async () => {
      try {
        await writer.sync()
      } finally {
        await writer.close()
      }
    })
  }

  /** Resolves when all that was retired is closed. */
  async close(): Promise<void> {
    this.#timer?.cancel()
    await this.#work
  }

  #startTimer(): void {
    const { clock, syncMs } = this.#options
    this.#timer = clock.startTimer(syncMs, () => this.#enqueue(() => this.#syncAll()))
  }

  async #syncAll(): Promise<void> {
    const writers = [...this.#unsynced]
    this.#unsynced.clear()
    const outcomes = await Promise.allSettled(writers.map((writer) => writer.sync()))
    // Only now: a disk that takes longer than `syncMs` is not asked again before it is done.
    this.#timer = null
    if (this.#unsynced.size > 0) this.#startTimer()
    const failure = outcomes.find((outcome) => outcome.status === "rejected")
    if (failure !== undefined) throw failure.reason
  }

  #enqueue(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).then(
      () => this.#options.onOutcome(null),
      (error: unknown) => this.#options.onOutcome(error),
    )
  }
}
