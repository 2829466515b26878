/*
 *   append ─→ StreamLane: Stage, StreamState ─→ StreamFiles: index, then bytes ─→ kernel ─→ Syncer ─→ medium
 *                 └─→ shown: readers
 *   page   ←─ ring of the lane, or segments of the Shelf
 *
 * The folder of a device:
 *
 *   journal.json                            whether, and where, the newest epoch goes on (JournalNote)
 *   <epoch>/rx-<offset>.bytes               the device's bytes from that offset on, and nothing else
 *   <epoch>/rx-<offset>.index               their times and checksums, and the marks (format/)
 *   <epoch>/tx-<offset>.bytes, .index       the same of what was written to the device
 */
import {
  AppError,
  type HistoryPage,
  type JournalHealth,
  type StartPoint,
  type StreamExtent,
  type StreamName,
  type StreamRecord,
  streamNames,
} from "@serialcast/contract"
import { type Timer, type Wakeup, withDeadline, within } from "@serialcast/primitives"
import type { Position } from "@serialcast/records"
import { ClockWatch } from "./clock-watch.ts"
import { Syncer } from "./disk/syncer.ts"
import type { Journal, JournalCounts, NewMark, RememberedWrite } from "./journal.ts"
import { NoteKeeper } from "./note-keeper.ts"
import type { Opened } from "./open/opened.ts"
import { makePage } from "./page/make-page.ts"
import { RefusalSummary } from "./refusal-summary.ts"
import { AgeLimit, minStepUs } from "./shelf/age-limit.ts"
import { type History, Shelf } from "./shelf/shelf.ts"
import { Unreadable } from "./shelf/unreadable.ts"
import { createLane } from "./stream/create-lane.ts"
import type { Stamp, StreamLane } from "./stream/stream-lane.ts"
import { Tally } from "./tally.ts"

export interface DiskJournalOptions {
  /** Of this device. */
  readonly dir: string
  /** Of both streams with their index. */
  readonly maxBytes: number
  /** null: age drops nothing. */
  readonly maxAgeMs: number | null
  /** What came in during the last `syncMs` may be lost when the power fails; of less than a page, twelve times that. */
  readonly syncMs: number
  /** Where the device's stages are, on a file system that is memory: a path without the name of the stream. Default: none. */
  readonly stage?: string | null
}

// What the device said is worth more than what it was told.
const rxShare = 3 / 4
// A few segments' worth of history is dropped at a time, and a device's folder has a few dozen files.
const segmentsInAll = 16
const minSegmentBytes = 64 * 1024
const maxSegmentBytes = 4 * 1024 * 1024
const maxAgeCheckMs = 3_600_000
// An agent has 5 s to stop, for its broker connection too.
const closeTimeoutMs = 2_000
// Room for a page takes so many wake-ups at most.
const backlogTimeoutMs = 2_000

/** A journal on disk. Files that cat can read, and an index beside them: docs/reference/journal-format.md. */
export class DiskJournal implements Journal {
  readonly epoch: string
  readonly writes: readonly RememberedWrite[]
  readonly news: Readonly<Record<StreamName, Wakeup>>
  readonly #maxAgeMs: number | null
  readonly #syncMs: number
  readonly #opened: Opened
  readonly #shelf: Shelf
  readonly #syncer: Syncer
  readonly #unreadable: Unreadable
  readonly #lanes: Readonly<Record<StreamName, StreamLane>>
  readonly #watch: ClockWatch
  readonly #note: NoteKeeper
  readonly #tally = new Tally()
  readonly #refusals: RefusalSummary
  /** By how much the wall clock was set since each stream's newest segment began, in microseconds. */
  readonly #pendingStepUs: Record<StreamName, number> = { rx: 0, tx: 0 }
  #createdUs: number
  #opens: number
  #syncProblem: AppError | null = null
  #historyProblem: AppError | null = null
  /** A sync that works after one that did not says nothing of what that one had to put onto the medium (fsync(2)). */
  #isOnMedium = true
  #loggedProblem: AppError | null = null
  #ageTimer: Timer | null = null
  /** Of what is too old; a disk may take longer than the time to the next look. */
  #dropping: Promise<void> | null = null
  #isClosed = false

  constructor({ maxBytes, maxAgeMs, syncMs }: DiskJournalOptions, opened: Opened) {
    const { clock, log } = opened.deps
    this.epoch = opened.epoch
    this.writes = opened.writes
    this.#createdUs = opened.createdUs
    this.#opens = opened.opens
    this.#maxAgeMs = maxAgeMs
    this.#syncMs = syncMs
    this.#opened = opened
    this.#watch = new ClockWatch(clock, (stepUs, stamp) => this.#onStep(stepUs, stamp))
    const mark = (refusal: NewMark) => this.#lanes.tx.mark(refusal, this.#watch.stamp())
    this.#refusals = new RefusalSummary({ clock, mark })
    const onChange = () => this.#onChange()
    this.#unreadable = new Unreadable({ log, currentEpoch: () => this.epoch, onChange })
    const budget = { rx: Math.floor(maxBytes * rxShare), tx: Math.floor(maxBytes * (1 - rxShare)) }
    this.#shelf = new Shelf({ maxBytes: budget, age: this.#createAgeLimit() }, { ...opened.segmentDeps, log })
    this.#shelf.adopt(opened.history)
    this.#syncer = new Syncer({ syncMs, clock, onOutcome: (error) => this.#setSyncProblem(error) })
    this.#lanes = { rx: this.#createLane("rx", budget.rx), tx: this.#createLane("tx", budget.tx) }
    const { note, stages, deps } = opened
    const keeping = { note, stages, clock, watch: this.#watch, epoch: this.epoch, bootId: deps.bootId }
    this.#note = new NoteKeeper({ ...keeping, lanes: this.#lanes, opens: () => this.#opens })
    this.news = { rx: this.#lanes.rx.news, tx: this.#lanes.tx.news }
    if (opened.stepUs !== 0) this.#onStep(opened.stepUs, this.#watch.stamp())
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get opens(): number {
    return this.#opens
  }

  get health(): JournalHealth {
    const problem = this.#problem
    const sentences =
      problem === null ? null : { code: problem.code, message: `${problem.message} ${problem.fix}` }
    return { bytes: this.#shelf.sizeBytes, problem: sentences }
  }

  get counts(): JournalCounts {
    const unkeptBytes = this.#all.reduce((sum, { state }) => sum + state.lostBytes, 0)
    return { ...this.#tally.counts(unkeptBytes), unreadableSegments: this.#unreadable.count }
  }

  /** Takes hold of the disk, once, before anything else. */
  start(): void {
    this.#startAgeTimer()
    this.#opened.onUnreadable.use((place, reason, isTail) => this.#unreadable.add(place, reason, isTail))
    this.#note.update()
    void this.#opened.removeRemains()
  }

  /** Puts in what could not be looked at when the journal was opened; null: it still cannot. */
  adopt(history: (History & { readonly createdUs: number }) | null): void {
    const message = "What was kept before cannot be reached now; it is tried again and again."
    this.#historyProblem = history === null ? new AppError("journal_failed", message) : null
    if (history !== null) {
      this.#shelf.adopt(history)
      this.#createdUs = Math.max(this.#createdUs, history.createdUs + 1)
    }
    this.#onChange()
  }

  append(stream: StreamName, bytes: Uint8Array): void {
    if (this.#isClosed) return
    this.#tally.append(stream, bytes)
    this.#lanes[stream].append(bytes, this.#watch.stamp())
  }

  mark(stream: StreamName, mark: NewMark): number {
    const stamp = this.#watch.stamp()
    if (this.#isClosed) return stamp.wallUs
    if (mark.kind === "opened") this.#opens = mark.open
    this.#tally.mark(mark)
    if (!this.#refusals.take(mark)) this.#lanes[stream].mark(mark, stamp)
    return stamp.wallUs
  }

  place(stream: StreamName): Position {
    return this.#lanes[stream].state.appended
  }

  settled(): Promise<void> | null {
    const { rx, tx } = this.#lanes
    if (rx.isShown && tx.isShown) return null
    return Promise.all([rx.settled(), tx.settled()]).then(() => {})
  }

  extent(stream: StreamName): StreamExtent {
    const { ring, state } = this.#lanes[stream]
    const kept = this.#shelf.list(stream).find(({ epoch }) => epoch === this.epoch)
    const oldest = Math.min(kept?.start.offset ?? ring.start.offset, ring.start.offset)
    return { oldest, head: state.shown.offset }
  }

  head(stream: StreamName): Position {
    return this.#lanes[stream].state.shown
  }

  oldest(stream: StreamName): Position {
    return this.#lanes[stream].ring.start
  }

  began(stream: StreamName): Position {
    return this.#opened.ends[stream].shown
  }

  want(stream: StreamName, position: Position | null): void {
    this.#lanes[stream].state.want(position)
  }

  read(stream: StreamName, position: Position, maxBytes: number): readonly StreamRecord[] {
    const { ring, state } = this.#lanes[stream]
    return ring.read(position, maxBytes, state.shown)
  }

  async page(stream: StreamName, from: StartPoint, maxBytes: number): Promise<HistoryPage> {
    const { ring, state } = this.#lanes[stream]
    const { clock } = this.#opened.deps
    await within(this.#lanes[stream].backlogWritten(), { clock, timeoutMs: backlogTimeoutMs })
    const kept = {
      epoch: this.epoch,
      ring,
      get shown() {
        return state.shown
      },
      older: this.#shelf.list(stream),
    }
    return await makePage(kept, from, maxBytes)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#ageTimer?.cancel()
    this.#refusals.flush()
    const { clock, log } = this.#opened.deps
    const error = () => new AppError("journal_failed", `It took more than ${closeTimeoutMs} ms.`)
    try {
      await withDeadline(this.#finish(), { clock, timeoutMs: closeTimeoutMs, error })
    } catch (cause) {
      log.warn({ reason: String(cause) }, "the journal was not closed in order")
    }
  }

  /** Resolves when the disk has all that it takes, its note included, and is left alone. */
  async flushed(): Promise<void> {
    await Promise.all(this.#all.map((lane) => lane.catchUp()))
    await this.#opened.note.written()
  }

  async #finish(): Promise<void> {
    await this.#dropping
    await this.flushed()
    const content = this.#note.finish()
    for (const lane of this.#all) lane.closeFiles()
    await this.#syncer.close()
    await this.#opened.segmentDeps.readFiles.close()
    const isNoted = content !== null && this.#isOnMedium && (await this.#opened.note.write(content))
    // Only now: until the note says that the files have it all, the stage does.
    for (const lane of this.#all) lane.closeStage(isNoted)
  }

  #createLane(stream: StreamName, budgetBytes: number): StreamLane {
    const opened = this.#opened
    const segmentBytes = Math.min(
      maxSegmentBytes,
      Math.max(minSegmentBytes, Math.floor(budgetBytes / segmentsInAll)),
    )
    return createLane(
      {
        stream,
        segmentBytes,
        syncMs: this.#syncMs,
        end: opened.ends[stream],
        stage: opened.stages?.stages[stream] ?? null,
      },
      {
        files: opened.deps.files,
        reading: opened.segmentDeps,
        clock: opened.deps.clock,
        shelf: this.#shelf,
        syncer: this.#syncer,
        place: { folder: opened.folder, epoch: this.epoch, stream },
        nowUs: () => this.#watch.stamp().wallUs,
        opens: () => this.#opens,
        createHeader: () => this.#createHeader(stream),
        onChange: () => this.#onChange(),
        onSafe: () => this.#note.update(),
      },
    )
  }

  #createHeader(stream: StreamName) {
    const stepUs = this.#pendingStepUs[stream]
    this.#pendingStepUs[stream] = 0
    const known = { epoch: this.epoch, createdUs: this.#createdUs, stream, opens: this.#opens }
    const step = stepUs === 0 ? {} : { stepUs }
    return { format: 2, ...known, bootId: this.#opened.deps.bootId, ...step } as const
  }

  #createAgeLimit(): AgeLimit | null {
    if (this.#maxAgeMs === null) return null
    return new AgeLimit({
      maxAgeMs: this.#maxAgeMs,
      bootId: this.#opened.deps.bootId,
      nowUs: () => this.#watch.stamp().wallUs,
      pendingStepUs: (stream) => this.#pendingStepUs[stream],
    })
  }

  get #all(): StreamLane[] {
    return streamNames.map((stream) => this.#lanes[stream])
  }

  get #problem(): AppError | null {
    const { rx, tx } = this.#lanes
    return (
      rx.files.problem ??
      tx.files.problem ??
      this.#syncProblem ??
      this.#historyProblem ??
      this.#unreadable.problem
    )
  }

  /** Stamps before and after it are of two clocks: a segment has those of one. */
  #onStep(stepUs: number, stamp: Stamp): void {
    for (const stream of streamNames) {
      if (Math.abs(stepUs) >= minStepUs) {
        this.#pendingStepUs[stream] += stepUs
        this.#lanes[stream].files.endSegment()
      }
      this.#lanes[stream].mark({ kind: "clock", stepMs: Math.round(stepUs / 1_000) }, stamp)
    }
  }

  #setSyncProblem(error: unknown): void {
    if (error !== null) this.#isOnMedium = false
    if ((error === null) === (this.#syncProblem === null)) return
    const message = `What was written may not outlive a power failure: ${String(error)}.`
    this.#syncProblem = error === null ? null : new AppError("journal_failed", message, { cause: error })
    this.#onChange()
  }

  #onChange(): void {
    const { log } = this.#opened.deps
    const problem = this.#problem
    const logged = this.#loggedProblem
    this.#loggedProblem = problem
    if (problem !== null && logged === null)
      log.error({ reason: problem.message }, "the journal's disk refuses")
    if (problem === null && logged !== null) log.info({}, "the journal's disk takes bytes again")
    this.#note.update()
  }

  #startAgeTimer(): void {
    const maxAgeMs = this.#maxAgeMs
    if (maxAgeMs === null) return
    this.#ageTimer = this.#opened.deps.clock.startTimer(Math.min(maxAgeCheckMs, maxAgeMs), () => {
      this.#dropping ??= this.#dropOld(maxAgeMs).finally(() => {
        this.#dropping = null
      })
      this.#startAgeTimer()
    })
  }

  async #dropOld(maxAgeMs: number): Promise<void> {
    try {
      const youngUs = this.#watch.stamp().wallUs - (maxAgeMs * 1000) / segmentsInAll
      for (const lane of this.#all) {
        // The newest segment stays until there is a newer one.
        const roll = async () => {
          if (!this.#isClosed) await lane.files.roll(youngUs, lane.state.kept)
        }
        await lane.between(roll)
      }
      if (!this.#isClosed) await this.#shelf.dropOld()
    } catch (error) {
      // The next look is in an hour.
      this.#opened.deps.log.warn({ reason: String(error) }, "what is too old in the journal was not dropped")
    }
  }
}
