/*
 *   keep ─→ fresh topics ──────────┐
 *   a new file ─→ stale topics: all ┴→ one write at a time ─→ file ─→ medium, after `syncMs`
 *                                            └─→ whoever waits
 */
import { AppError } from "@serialcast/contract"
import {
  type Clock,
  concatBytes,
  createBackoff,
  createDeferred,
  type Deferred,
  longAgo,
  type MonotonicMs,
  msSince,
  type Timer,
  withDeadline,
  within,
} from "@serialcast/primitives"
import type { Logger } from "@serialcast/service-kit"
import type { KeptMessage } from "../rules/kept-form.ts"
import type { Disk } from "./disk.ts"
import { encodeRecord } from "./record.ts"
import { createRetainedFile, openRetainedFile, type RetainedFile } from "./retained-file.ts"
import type { Loaded, RetainedFolder } from "./retained-folder.ts"

// A disk that takes nothing for so long is away, and nobody waits for it. Cards take a second now and then.
const patienceMs = 5_000
const closeMs = 1_000
const retries = { minMs: 1_000, maxMs: 30_000 }
/** A new file is begun when there is more than twice as much in the old one as is kept, and this: less is not worth it. */
const worthBytes = 4 * 1024 * 1024
/** What a write has besides what is fresh: whoever waits for it waits for no more. */
const portionBytes = 256 * 1024

export interface RetainedSource {
  /** Those of which something is to be kept. */
  topics(): Iterable<string>
  /** What is to be kept of a topic now; undefined: nothing. */
  keptForm(topic: string): KeptMessage | undefined
}

export interface RetainedKeeperDeps {
  readonly folder: RetainedFolder
  readonly disk: Disk
  readonly source: RetainedSource
  readonly clock: Clock
  readonly log: Logger
  /** The disk has again all that is to be kept. */
  readonly onBack: () => void
}

/**
 * Puts retained messages on the disk. A write has what `source` says when it begins, so that only names of topics wait here.
 * A disk that refuses or hangs is away: nothing is written but attempts at a new file, which gets everything.
 */
export class RetainedKeeper {
  readonly #deps: RetainedKeeperDeps
  readonly #syncMs: number
  readonly #backoff = createBackoff(retries)
  #state: "well" | "away" | "returning" = "away"
  #file: RetainedFile | null = null
  /** To be removed when `#file` has everything. */
  #older: string[] = []
  #fresh = new Set<string>()
  /** Those of the write that is on its way. */
  #writing: ReadonlySet<string> = new Set()
  /** What `#file` has not got yet of what is in the older ones. */
  #stale: Set<string> | null = null
  #keptBytes = 0
  #waiting: Deferred<boolean> | null = null
  #run: Promise<void> | null = null
  #hanging: Promise<unknown> = Promise.resolve()
  #isClosed = false
  #backMs: MonotonicMs = longAgo
  #retryTimer: Timer | null = null
  #syncTimer: Timer | null = null

  constructor(syncMs: number, deps: RetainedKeeperDeps) {
    this.#syncMs = syncMs
    this.#deps = deps
  }

  /** The disk takes nothing now. */
  get isAway(): boolean {
    return this.#state !== "well"
  }

  /** Begins with what was loaded; an error: why nothing could be. */
  async start(loaded: Loaded | Error): Promise<void> {
    this.#state = "well"
    if (loaded instanceof Error) return this.#goAway(loaded)
    const { disk } = this.#deps
    this.#older = loaded.files.map(({ path }) => path)
    const newest = loaded.isNewestWhole ? loaded.files.at(-1) : undefined
    try {
      if (newest === undefined) return await this.#beginFile()
      this.#older.pop()
      this.#file = await this.#patiently(openRetainedFile(newest, disk), (late) => late.close())
      if (this.#older.length > 0) this.#writeAll()
    } catch (error) {
      this.#goAway(error)
    }
  }

  /**
   * Keeps what is said of `topic` now, which differs from before or does not. Answers true when the kernel has it for the disk;
   * false: the disk is away.
   */
  async keep(topic: string, isDifferent: boolean): Promise<boolean> {
    if (this.#state === "away") return false
    if (this.#state === "returning") {
      this.#stale?.add(topic)
      return false
    }
    if (!isDifferent && !this.#fresh.has(topic) && !this.#writing.has(topic)) return true
    this.#fresh.add(topic)
    this.#waiting ??= createDeferred()
    const kept = this.#waiting.promise
    this.#wake()
    return await kept
  }

  /** Ends when all is on the medium, or the disk takes too long. */
  async close(): Promise<void> {
    const { clock, folder } = this.#deps
    const limit = { clock, timeoutMs: closeMs }
    this.#isClosed = true
    await within(this.#run ?? Promise.resolve(), limit)
    this.#retryTimer?.cancel()
    this.#syncTimer?.cancel()
    const file = this.#file
    this.#file = null
    this.#state = "away"
    if (file !== null) await within(this.#closeSynced(file), limit)
    await within(folder.close(), limit)
  }

  #wake(): void {
    this.#run ??= this.#writeOn().finally(() => {
      this.#run = null
      // Of what came since it looked last, it was not told.
      if (this.#hasWork) this.#wake()
    })
  }

  get #hasWork(): boolean {
    return this.#file !== null && (this.#fresh.size > 0 || this.#stale !== null)
  }

  async #writeOn(): Promise<void> {
    try {
      while (this.#file !== null && this.#hasWork) {
        await this.#writeNext(this.#file)
        if (this.#isWasteful()) await this.#beginFile()
      }
    } catch (error) {
      this.#goAway(error)
    }
  }

  async #writeNext(file: RetainedFile): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = null
    this.#writing = this.#fresh
    this.#fresh = new Set()
    try {
      const records = [...this.#writing].map((topic) => this.#encode(topic))
      await this.#patiently(file.append(concatBytes([...records, ...this.#takePortion()])))
      waiting?.resolve(true)
    } finally {
      waiting?.resolve(false)
      this.#writing = new Set()
    }
    this.#syncTimer ??= this.#deps.clock.startTimer(this.#syncMs, () => void this.#sync())
    if (this.#stale?.size === 0 && file === this.#file) this.#haveAll(file)
  }

  #encode(topic: string): Uint8Array {
    return encodeRecord({ topic, message: this.#deps.source.keptForm(topic) })
  }

  *#takePortion(): Iterable<Uint8Array> {
    let sizeBytes = 0
    for (const topic of this.#stale ?? []) {
      this.#stale?.delete(topic)
      const record = this.#encode(topic)
      yield record
      sizeBytes += record.byteLength
      if (sizeBytes >= portionBytes) return
    }
  }

  #isWasteful(): boolean {
    return this.#stale === null && (this.#file?.sizeBytes ?? 0) > worthBytes + 2 * this.#keptBytes
  }

  async #beginFile(): Promise<void> {
    const { disk, folder } = this.#deps
    const path = await this.#patiently(folder.nextPath())
    const file = await this.#patiently(createRetainedFile(path, disk), (late) => late.remove())
    if (this.#isClosed) return await file.remove()
    if (this.#file !== null) {
      this.#older.push(this.#file.path)
      void this.#closeSynced(this.#file)
    }
    this.#file = file
    this.#writeAll()
  }

  #writeAll(): void {
    this.#stale = new Set(this.#deps.source.topics())
    this.#wake()
  }

  #haveAll(file: RetainedFile): void {
    this.#stale = null
    this.#keptBytes = file.sizeBytes
    void this.#removeOlder(file)
    if (this.#state !== "returning") return
    this.#state = "well"
    this.#backMs = this.#deps.clock.monotonicMs()
    this.#deps.log.info("the disk has all retained messages again")
    this.#deps.onBack()
  }

  /** A power failure must not find the new file without its content, and the old ones gone. */
  async #removeOlder(file: RetainedFile): Promise<void> {
    const paths = this.#older
    this.#older = []
    try {
      await file.sync()
      await Promise.all(paths.map((path) => this.#deps.disk.remove(path)))
    } catch (error) {
      // They are read at the next start, before the newer one, and removed then.
      this.#deps.log.warn({ paths, reason: String(error) }, "old files of retained messages were not removed")
    }
  }

  async #sync(): Promise<void> {
    this.#syncTimer = null
    const file = this.#file
    try {
      await file?.sync()
    } catch (error) {
      // What the kernel could not write it may have forgotten: a new file gets everything.
      if (file === this.#file) this.#goAway(error)
    }
  }

  #goAway(error: unknown): void {
    if (this.#state === "away") return
    const { log, clock } = this.#deps
    const file = this.#file
    const isAttempt = this.#state === "returning"
    if (!isAttempt)
      log.error({ reason: String(error) }, "the disk takes no retained messages: they are in memory only")
    // A disk that comes and goes is not come back to at once.
    if (!isAttempt && msSince(clock, this.#backMs) > retries.maxMs) this.#backoff.reset()
    this.#state = "away"
    this.#file = null
    this.#fresh = new Set()
    this.#stale = null
    this.#waiting?.resolve(false)
    this.#waiting = null
    this.#retryTimer = clock.startTimer(this.#backoff.next(), () => void this.#return())
    if (file === null) return
    // Nobody was told that something is in the file of an attempt; what others have was promised.
    if (!isAttempt) this.#older.push(file.path)
    const closing = isAttempt ? file.remove() : file.close()
    closing.catch((reason: unknown) => log.debug({ reason }, "a file of retained messages was not closed"))
  }

  async #return(): Promise<void> {
    // What hangs has a thread of Node's pool: no more of them.
    await this.#hanging
    if (this.#state !== "away") return
    this.#state = "returning"
    try {
      await this.#patiently(this.#deps.folder.prepare())
      await this.#beginFile()
    } catch (error) {
      this.#goAway(error)
    }
  }

  async #closeSynced(file: RetainedFile): Promise<void> {
    try {
      await file.sync()
      await file.close()
    } catch (error) {
      this.#deps.log.warn(
        { file: file.path, reason: String(error) },
        "retained messages may not be on the disk",
      )
    }
  }

  /** What takes too long is undone when it is done at last. */
  async #patiently<T>(work: Promise<T>, undo?: (late: T) => Promise<void>): Promise<T> {
    const { clock } = this.#deps
    const tooLate = new AppError("retained_failed", `The disk took more than ${patienceMs} ms.`)
    try {
      return await withDeadline(work, { clock, timeoutMs: patienceMs, error: () => tooLate })
    } catch (error) {
      if (error === tooLate) this.#hanging = work.then(undo).catch(() => {})
      throw error
    }
  }
}
