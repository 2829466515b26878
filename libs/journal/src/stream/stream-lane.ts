/*
 *   append ─→ Stage ─→ StreamState ─→ shown: readers, by the ring
 *                          │  ↑
 *                   a batch ↓  │ wrote, refused
 *                        StreamFiles ─→ kernel ─→ Syncer ─→ medium
 */
import type { Mark, StreamRecord } from "@serialcast/contract"
import {
  type Clock,
  createDeferred,
  createWakeup,
  type Deferred,
  type MonotonicMs,
  type Timer,
  type Wakeup,
  type WallUs,
} from "@serialcast/primitives"
import { comparePositions, type Position, type RecordRing } from "@serialcast/records"
import type { StreamFiles } from "../disk/stream-files.ts"
import type { NewMark } from "../journal.ts"
import type { Stage } from "../stage/stage.ts"
import { cutIntoChunks } from "./cut-into-chunks.ts"
import { shortenMark } from "./shorten-mark.ts"
import type { Batch, StreamState } from "./stream-state.ts"

const backlogRetryMs = 1_000

/** When something came in, by both clocks. */
export interface Stamp {
  readonly wallUs: WallUs
  readonly monotonicMs: MonotonicMs
}

export interface StreamLaneDeps {
  readonly clock: Clock
  readonly ring: RecordRing
  readonly state: StreamState
  readonly files: StreamFiles
  /** null: there is no memory that outlives the process. */
  readonly stage: Stage | null
  /** How often the port was opened. */
  readonly opens: () => number
  /** Batches that the stage had in front of what is in the ring. */
  readonly backlog: readonly Batch[]
  /** `isSafe` may be another, or something waits for `allowAhead`. */
  readonly onSafe: () => void
}

/** One stream of a journal at work: a thin shell around `StreamState`, with a clock, a stage and files. */
export class StreamLane {
  readonly news: Wakeup = createWakeup()
  readonly #deps: StreamLaneDeps
  #stage: Stage | null
  #backlog: Batch[]
  #running: Promise<void> | null = null
  #timer: Timer | null = null
  /** The disk refused the backlog, and is left alone. */
  #resting: Timer | null = null
  /** How many wait for the disk to be left alone. */
  #waiting = 0
  #timerMs = Number.POSITIVE_INFINITY
  #isKicked = false
  #wasUnsafe = false
  #isClosed = false
  #told: Position
  #settling: { readonly until: Position; readonly deferred: Deferred<void> }[] = []

  constructor(deps: StreamLaneDeps) {
    this.#deps = deps
    this.#stage = deps.stage
    this.#backlog = [...deps.backlog]
    this.#told = deps.state.shown
    deps.state.allowAhead(deps.stage !== null, this.#nowMs)
    if (this.#backlog.length > 0) this.#kick()
    this.#after(this.#nowMs)
  }

  get ring(): RecordRing {
    return this.#deps.ring
  }

  get state(): StreamState {
    return this.#deps.state
  }

  get files(): StreamFiles {
    return this.#deps.files
  }

  /** The files have all that was appended, by earlier processes too. */
  get isKept(): boolean {
    return this.state.isKept && this.#backlog.length === 0
  }

  get hasStage(): boolean {
    return this.#stage !== null
  }

  /** A process that is killed now takes back nothing that was shown, or the next one knows. */
  get isSafe(): boolean {
    return this.#stage !== null || this.state.isSafe
  }

  /** Something is to be shown that a killed process would take back. */
  get wantsAhead(): boolean {
    return this.#stage === null && this.state.wantsAhead
  }

  append(bytes: Uint8Array, { wallUs, monotonicMs }: Stamp): void {
    for (const chunk of cutIntoChunks(bytes, this.state.appended.offset)) {
      this.#add({ ...chunk, timeUs: wallUs }, monotonicMs)
    }
    this.#after(monotonicMs)
  }

  mark(mark: NewMark, { wallUs, monotonicMs }: Stamp): void {
    const { offset, mark: n } = this.state.appended
    // The number makes it a whole mark.
    this.#add({ offset, timeUs: wallUs, mark: shortenMark({ n, ...mark } as Mark) }, monotonicMs)
    this.#after(monotonicMs)
  }

  /** What is shown may be more than a killed process leaves, and the next process knows of it; or not any more. */
  allowAhead(isAllowed: boolean): void {
    this.state.allowAhead(isAllowed, this.#nowMs)
    this.#after(this.#nowMs)
  }

  get isShown(): boolean {
    return comparePositions(this.state.shown, this.state.appended) === 0
  }

  /** Resolves when all that was appended until now is shown. */
  async settled(): Promise<void> {
    if (this.isShown) return
    const deferred = createDeferred<void>()
    this.#settling.push({ until: this.state.appended, deferred })
    this.state.flush()
    this.#kick()
    await deferred.promise
  }

  /** Resolves when the disk has all that was appended, or does not take it now, and is left alone. */
  async catchUp(): Promise<void> {
    this.state.flush()
    this.#kick()
    while (this.#isKicked || this.#running !== null) await (this.#running ?? Promise.resolve())
  }

  /** Resolves when everything that a stage had is in the files, or in memory. */
  async backlogWritten(): Promise<void> {
    while (this.#backlog.length > 0 && this.#running !== null) await this.#running
  }

  /** Goes on without it: what is shown then is in the files, or the note is gone. */
  dropStage(): void {
    if (this.#stage === null) return
    this.#stage.discard()
    this.#stage = null
    this.state.dropStage()
    this.#kick()
    this.#wasUnsafe = true
    this.state.allowAhead(false, this.#nowMs)
    this.#deps.onSafe()
  }

  /** While the disk is left alone, does `work` with the files. */
  async between(work: () => Promise<void>): Promise<void> {
    this.#waiting++
    // Somebody else may have waited for the same moment.
    while (this.#running !== null) await this.#running
    this.#waiting--
    if (this.#isClosed) return
    this.#running = work().finally(() => {
      this.#releaseStage()
      this.#rest()
    })
    await this.#running
  }

  /** Gives up the files; nothing is due any more. */
  closeFiles(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#resting?.cancel()
    this.files.close()
  }

  /** `isDone`: nothing of the stage is needed any more. */
  closeStage(isDone: boolean): void {
    if (isDone) this.#stage?.discard()
    else this.#stage?.close()
    this.#stage = null
  }

  get #nowMs(): MonotonicMs {
    return this.#deps.clock.monotonicMs()
  }

  #add(record: StreamRecord, nowMs: MonotonicMs): void {
    const isStaged = this.#stage?.put(record) ?? false
    this.state.append(record, isStaged, nowMs)
    // The stage is full: the disk makes room.
    if (this.#stage !== null && !isStaged) this.state.flush()
  }

  /** Something came in, or time passed, or the disk answered. */
  #after(nowMs: MonotonicMs): void {
    this.#tellOrDropStage()
    this.#tell()
    if (this.#stage === null && (this.state.wantsAhead || !this.state.isSafe)) {
      this.#wasUnsafe = true
      this.#deps.onSafe()
    }
    if (this.#isClosed) return
    const wakeMs = this.state.wakeMs(nowMs)
    if (wakeMs === null) return
    if (wakeMs > nowMs) this.#arm(wakeMs)
    else this.#kick()
  }

  /** Before anybody can read what a killed process would take back, the next process is told of it. */
  #tellOrDropStage(): void {
    const stage = this.#stage
    if (stage === null || this.state.isSafe || stage.tellShown(this.state.shown)) return
    this.dropStage()
  }

  #tell(): void {
    const { shown } = this.state
    if (comparePositions(shown, this.#told) === 0) return
    this.#told = shown
    if (this.#settling.length > 0) {
      const isShown = ({ until }: { until: Position }) => comparePositions(until, shown) <= 0
      for (const { deferred } of this.#settling.filter(isShown)) deferred.resolve()
      this.#settling = this.#settling.filter((settling) => !isShown(settling))
    }
    this.news.wake()
  }

  /** What is appended in the same turn goes in one batch. */
  #kick(): void {
    if (this.#isKicked || this.#running !== null || this.#resting !== null || this.#isClosed) return
    this.#isKicked = true
    queueMicrotask(() => {
      this.#isKicked = false
      if (this.#running === null && !this.#isClosed) this.#running = this.#run().finally(() => this.#rest())
    })
  }

  async #run(): Promise<void> {
    while (await this.#writeBacklog()) {
      const batch = this.#waiting > 0 ? null : this.state.takeBatch(this.#nowMs)
      if (batch === null) break
      // Starts the timer that notices a disk that hangs.
      this.#after(this.#nowMs)
      if (await this.files.keep(batch)) this.#wrote()
      else this.state.refused(this.#nowMs)
      this.#after(this.#nowMs)
    }
  }

  #wrote(): void {
    this.state.wrote(this.#nowMs)
    this.#releaseStage()
    if (this.#wasUnsafe && this.state.isSettled) {
      this.#wasUnsafe = false
      this.state.allowAhead(this.#stage !== null, this.#nowMs)
      this.#deps.onSafe()
    }
  }

  /** Tells the stage how far the files have the stream. */
  #releaseStage(): void {
    const end = this.files.end
    if (end === null || this.#stage === null) return
    if (!this.#stage.release({ ...end, opens: this.#deps.opens() })) this.dropStage()
  }

  /** False when the disk refuses it: nothing of a later place may go to the files before it. */
  async #writeBacklog(): Promise<boolean> {
    for (let batch = this.#backlog[0]; batch !== undefined; batch = this.#backlog[0]) {
      if (!(await this.files.keep(batch))) {
        this.#resting = this.#deps.clock.startTimer(backlogRetryMs, () => {
          this.#resting = null
          this.#kick()
        })
        return false
      }
      this.#backlog.shift()
    }
    return true
  }

  #rest(): void {
    this.#running = null
    this.#after(this.#nowMs)
  }

  #arm(wakeMs: number): void {
    if (this.#timer !== null && this.#timerMs <= wakeMs) return
    this.#timer?.cancel()
    this.#timerMs = wakeMs
    this.#timer = this.#deps.clock.startTimer(Math.max(0, wakeMs - this.#nowMs), () => {
      this.#timer = null
      const nowMs = this.#nowMs
      this.state.tick(nowMs)
      this.#after(nowMs)
    })
  }
}
