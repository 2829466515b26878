import type { Clock, Timer } from "@serialcast/primitives"

export interface SyncerOptions {
  readonly syncMs: number
  readonly clock: Clock
  /** null: the disk takes what is synced again. */
  readonly onOutcome: (error: unknown) => void
}

/** A file, or some that belong together. */
export interface Syncable {
  sync(): Promise<void>
  close(): Promise<void>
}

// A page: a sync writes no less, however few bytes are new.
const pageBytes = 4096
// How often a trickle is put off that no stage gathers. With it a byte a second costs some 700 bytes of the medium, and not
// 1,700 (measured).
const maxPuts = 12

/**
 * Puts what was written onto the medium: after `syncMs` when it is a page or more, or nothing came since; a trickle of less
 * waits for more, up to twelve times as long. So much may be lost when the power fails.
 */
export class Syncer {
  readonly #options: SyncerOptions
  readonly #unsynced = new Set<Syncable>()
  #unsyncedBytes = 0
  #touchedMs = 0
  #puts = 0
  #timer: Timer | null = null
  #work: Promise<void> = Promise.resolve()

  constructor(options: SyncerOptions) {
    this.#options = options
  }

  /** `sizeBytes` were written. */
  touch(file: Syncable, sizeBytes: number): void {
    this.#unsynced.add(file)
    this.#unsyncedBytes += sizeBytes
    this.#touchedMs = this.#options.clock.monotonicMs()
    if (this.#timer === null) this.#startTimer()
  }

  /** It will not be written to any more: it is synced and closed. */
  retire(file: Syncable): void {
    this.#unsynced.delete(file)
    this.#enqueue(async () => {
      try {
        await file.sync()
      } finally {
        await file.close()
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
    this.#timer = clock.startTimer(syncMs, () => {
      if (this.#isDue()) this.#enqueue(() => this.#syncAll())
      else this.#startTimer()
    })
  }

  #isDue(): boolean {
    const { clock, syncMs } = this.#options
    const isQuiet = clock.monotonicMs() - this.#touchedMs >= syncMs
    return this.#unsyncedBytes >= pageBytes || isQuiet || ++this.#puts >= maxPuts
  }

  async #syncAll(): Promise<void> {
    const files = [...this.#unsynced]
    this.#unsynced.clear()
    this.#unsyncedBytes = 0
    this.#puts = 0
    const outcomes = await Promise.allSettled(files.map((file) => file.sync()))
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
