/*
 *   append ─→ StreamLog: placed ─→ StreamDisk ─→ SegmentWriter: bytes, then index ─→ kernel ─→ Syncer ─→ medium
 *                 └────────────────── shown ←──────────┘
 *   page   ←─ ring of StreamLog, or segments of the Shelf
 *
 * The folder of a device:
 *
 *   journal.json                            that all that was shown is here (JournalNote)
 *   <epoch>/rx-<offset>.bytes               the device's bytes from that offset on, and nothing else
 *   <epoch>/rx-<offset>.index               their times and checksums, and the marks (index-entry.ts)
 *   <epoch>/tx-<offset>.bytes, .index       the same of what was written to the device
 */
import { join } from "node:path"
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
import type { Position } from "@serialcast/device-stream"
import { type Clock, type Timer, type Wakeup, withDeadline, within } from "@serialcast/primitives"
import type { Logger } from "@serialcast/service-kit"
import type { Files } from "./files.ts"
import type { Journal, JournalCounts, NewMark, RememberedWrite } from "./journal.ts"
import { JournalNote, type NoteContent, type NotedSegment } from "./journal-note.ts"
import { makePage } from "./make-page.ts"
import { ReadFiles } from "./read-files.ts"
import { type Recovered, recover } from "./recover.ts"
import { rememberWrites } from "./remembered-writes.ts"
import type { Segment } from "./segment.ts"
import type { SegmentWriter } from "./segment-writer.ts"
import { Shelf } from "./shelf.ts"
import { StreamDisk } from "./stream-disk.ts"
import { StreamLog } from "./stream-log.ts"
import { Syncer } from "./syncer.ts"
import { Tally } from "./tally.ts"

export interface DiskJournalOptions {
  /** Of this device. */
  readonly dir: string
  /** Of both streams with their index. */
  readonly maxBytes: number
  /** null: age drops nothing. */
  readonly maxAgeMs: number | null
  /** What came in during the last `syncMs` may be lost when the power fails. */
  readonly syncMs: number
}

export interface DiskJournalDeps {
  readonly clock: Clock
  readonly log: Logger
  /** A new journal's identity. */
  readonly createEpoch: () => string
  /** Of the running system; null where it is not known: an unclean stop then counts as the process's, not the system's. */
  readonly bootId: string | null
  /** One for all journals of a process. */
  readonly files: Files
}

// A few segments' worth of history is dropped at a time, and a device's folder has a few dozen files.
const segmentsInAll = 16
const minSegmentBytes = 64 * 1024
const maxSegmentBytes = 4 * 1024 * 1024
// A batch is a small part of a segment, so that segments are filled; beyond this, system calls cost no less each.
const maxBatchBytes = 256 * 1024
const batchesInSegment = 4
// What is written with a receipt waits for the disk by itself; the rest need not be in the way of the device's answer.
const writtenGatherMs = 1
const maxAgeCheckMs = 3_600_000
// A device opens its port within 10 s, whatever the disk does: the lock of all journals comes before.
const recoverTimeoutMs = 6_000
const startTimeoutMs = 1_000
// An agent has 5 s to stop, for its broker connection too.
const closeTimeoutMs = 2_000

interface Internals extends DiskJournalDeps {
  readonly readFiles: ReadFiles
  readonly note: JournalNote
}

/** What earlier processes left. */
interface Found extends Recovered {
  readonly writes: readonly RememberedWrite[]
}

/**
 * Opens the journal in `dir`. It always opens: where the disk refuses, it shows bytes without keeping them, says so in
 * `health`, and tries again.
 */
export async function openDiskJournal(
  options: DiskJournalOptions,
  deps: DiskJournalDeps,
): Promise<DiskJournal> {
  const { files, log } = deps
  const note = new JournalNote(options.dir, { files, log })
  const internals = { ...deps, note, readFiles: new ReadFiles(files) }
  const journal = new DiskJournal(options, internals, await findInTime(options.dir, internals))
  await within(journal.start(), { clock: deps.clock, timeoutMs: startTimeoutMs })
  return journal
}

/** What earlier processes left; nothing when it cannot be read, or not in time. */
async function findInTime(dir: string, deps: Internals): Promise<Found> {
  const { clock, log } = deps
  const finding = find(dir, deps)
  const error = () => new AppError("journal_failed", `The disk took more than ${recoverTimeoutMs} ms.`)
  try {
    return await withDeadline(finding, { clock, timeoutMs: recoverTimeoutMs, error })
  } catch (cause) {
    log.error({ dir, reason: String(cause) }, "the journal cannot be read, and begins anew")
    void finding.then(leave, () => {})
    return { epochs: [], opens: 0, writers: null, writes: [] }
  }
}

async function find(dir: string, deps: Internals): Promise<Found> {
  const { log, files } = deps
  const recovered = await recover(dir, deps)
  const segments = recovered.epochs.flatMap((epoch) => epoch.segments.tx)
  try {
    return { ...recovered, writes: await rememberWrites(files, segments) }
  } catch (error) {
    log.warn(
      { dir, reason: String(error) },
      "earlier writes cannot be read: a repeat of one is written again",
    )
    return { ...recovered, writes: [] }
  }
}

/** Closes what came too late to be gone on with. */
async function leave({ writers }: Found): Promise<void> {
  if (writers === null) return
  for (const stream of streamNames) await writers[stream].close()
}

interface Stream {
  readonly disk: StreamDisk
  readonly log: StreamLog
}

/** A journal on disk. Files that cat can read, and an index beside them: docs/reference/journal-format.md. */
export class DiskJournal implements Journal {
  readonly epoch: string
  readonly writes: readonly RememberedWrite[]
  readonly news: Readonly<Record<StreamName, Wakeup>>
  readonly #createdUs: number
  readonly #maxAgeMs: number | null
  readonly #segmentBytes: number
  readonly #deps: Internals
  readonly #shelf: Shelf
  readonly #syncer: Syncer
  readonly #streams: Readonly<Record<StreamName, Stream>>
  readonly #folder: string
  readonly #tally = new Tally()
  #opens: number
  #syncProblem: AppError | null = null
  /** A sync that works after one that did not says nothing of what that one had to put onto the medium (fsync(2)). */
  #isOnMedium = true
  #loggedProblem: AppError | null = null
  #ageTimer: Timer | null = null
  #isClosed = false
  /** Closing the files says nothing about what is kept. */
  #isNoteFinal = false

  constructor({ dir, maxBytes, maxAgeMs, syncMs }: DiskJournalOptions, deps: Internals, found: Found) {
    const { clock } = deps
    const newest = found.epochs.at(-1)
    const goesOn = newest !== undefined && found.writers !== null
    this.epoch = goesOn ? newest.epoch : deps.createEpoch()
    this.#createdUs = goesOn ? newest.createdUs : Math.max(clock.nowUs(), (newest?.createdUs ?? 0) + 1)
    this.#folder = join(dir, this.epoch)
    this.writes = found.writes
    this.#opens = found.opens
    this.#maxAgeMs = maxAgeMs
    this.#deps = deps
    this.#segmentBytes = Math.min(
      maxSegmentBytes,
      Math.max(minSegmentBytes, Math.floor(maxBytes / segmentsInAll)),
    )
    const segmentsOf = (stream: StreamName) => found.epochs.flatMap(({ segments }) => segments[stream])
    const segments = { rx: segmentsOf("rx"), tx: segmentsOf("tx") }
    this.#shelf = new Shelf({ maxBytes, maxAgeMs, segmentBytes: this.#segmentBytes }, deps, segments)
    this.#syncer = new Syncer({ syncMs, clock, onOutcome: (error) => this.#setSyncProblem(error) })
    const { rx = null, tx = null } = found.writers ?? {}
    this.#streams = { rx: this.#createStream("rx", rx), tx: this.#createStream("tx", tx) }
    this.news = { rx: this.#streams.rx.log.news, tx: this.#streams.tx.log.news }
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
    return this.#tally.counts(this.#all.reduce((sum, { log }) => sum + log.unkeptBytes, 0))
  }

  /** Takes hold of the disk, once, before anything else. */
  async start(): Promise<void> {
    this.#startAgeTimer()
    await this.#shelf.makeRoom()
    await this.#catchUp()
    await this.#writeNote()
  }

  append(stream: StreamName, bytes: Uint8Array): void {
    if (this.#isClosed) return
    this.#tally.append(stream, bytes)
    this.#streams[stream].log.append(bytes)
  }

  mark(stream: StreamName, mark: NewMark): number {
    if (this.#isClosed) return this.#deps.clock.nowUs()
    if (mark.kind === "opened") this.#opens = mark.open
    this.#tally.mark(mark)
    return this.#streams[stream].log.mark(mark)
  }

  place(stream: StreamName): Position {
    return this.#streams[stream].log.place
  }

  async settled(): Promise<void> {
    await Promise.all(this.#all.map(({ log }) => log.settled()))
  }

  extent(stream: StreamName): StreamExtent {
    const { ring } = this.#streams[stream].log
    const kept = this.#shelf.list(stream).find(({ epoch }) => epoch === this.epoch)
    const oldest = Math.min(kept?.start.offset ?? ring.start.offset, ring.start.offset)
    return { oldest, head: ring.head.offset }
  }

  head(stream: StreamName): Position {
    return this.#streams[stream].log.ring.head
  }

  oldest(stream: StreamName): Position {
    return this.#streams[stream].log.ring.start
  }

  read(stream: StreamName, position: Position, maxBytes: number): readonly StreamRecord[] {
    return this.#streams[stream].log.ring.read(position, maxBytes)
  }

  async page(stream: StreamName, from: StartPoint, maxBytes: number): Promise<HistoryPage> {
    const { ring } = this.#streams[stream].log
    return await makePage({ epoch: this.epoch, ring, older: this.#shelf.list(stream) }, from, maxBytes)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#ageTimer?.cancel()
    const { clock, log } = this.#deps
    const error = () => new AppError("journal_failed", `It took more than ${closeTimeoutMs} ms.`)
    try {
      await withDeadline(this.#finish(), { clock, timeoutMs: closeTimeoutMs, error })
    } catch (cause) {
      log.warn({ reason: String(cause) }, "the journal was not closed in order")
    }
  }

  async #finish(): Promise<void> {
    await this.#catchUp()
    const content = this.#noteContent()
    this.#isNoteFinal = true
    for (const { disk } of this.#all) disk.close()
    await this.#syncer.close()
    await this.#deps.readFiles.close()
    if (content !== null && this.#isOnMedium) await this.#deps.note.write({ ...content, isClean: true })
  }

  /** Resolves when the disk has all that it takes, and is left alone. */
  async #catchUp(): Promise<void> {
    await Promise.all(this.#all.map(({ log }) => log.catchUp()))
  }

  #createStream(stream: StreamName, writer: SegmentWriter | null): Stream {
    const { clock, files, readFiles } = this.#deps
    const disk = new StreamDisk(
      {
        files,
        readFiles,
        clock,
        shelf: this.#shelf,
        syncer: this.#syncer,
        segmentBytes: this.#segmentBytes,
        place: { folder: this.#folder, epoch: this.epoch, stream },
        createHeader: () => ({
          format: 1,
          epoch: this.epoch,
          createdUs: this.#createdUs,
          stream,
          opens: this.#opens,
        }),
        onChange: () => this.#onChange(),
        onDue: () => log.kick(),
      },
      writer,
    )
    const log: StreamLog = new StreamLog(
      {
        clock,
        disk,
        gatherMs: stream === "tx" ? writtenGatherMs : 0,
        maxBatchBytes: Math.min(maxBatchBytes, this.#segmentBytes / batchesInSegment),
        onWhole: () => this.#writeNote(),
      },
      writer?.segment.end ?? { offset: 0, mark: 0 },
    )
    return { disk, log }
  }

  get #all(): Stream[] {
    return streamNames.map((stream) => this.#streams[stream])
  }

  get #problem(): AppError | null {
    return this.#streams.rx.disk.problem ?? this.#streams.tx.disk.problem ?? this.#syncProblem
  }

  #setSyncProblem(error: unknown): void {
    if (error !== null) this.#isOnMedium = false
    if ((error === null) === (this.#syncProblem === null)) return
    const message = `What was written may not outlive a power failure: ${String(error)}.`
    this.#syncProblem = error === null ? null : new AppError("journal_failed", message, { cause: error })
    this.#onChange()
  }

  #onChange(): void {
    const { log } = this.#deps
    const problem = this.#problem
    const logged = this.#loggedProblem
    this.#loggedProblem = problem
    if (problem !== null && logged === null)
      log.error({ reason: problem.message }, "the journal's disk refuses")
    if (problem === null && logged !== null) log.info("the journal's disk takes bytes again")
    void this.#writeNote()
  }

  async #writeNote(): Promise<void> {
    if (!this.#isNoteFinal) await this.#deps.note.write(this.#noteContent())
  }

  /** null: it is not sure that all that was shown is on disk, or will be when the process is killed. */
  #noteContent(): NoteContent | null {
    const { rx, tx } = this.#streams
    const [rxNewest, txNewest] = [rx.disk.newest, tx.disk.newest]
    if (!rx.log.isWhole || !tx.log.isWhole || rxNewest === null || txNewest === null) return null
    const newest = { rx: noteOf(rxNewest), tx: noteOf(txNewest) }
    return { epoch: this.epoch, bootId: this.#deps.bootId, isClean: false, newest }
  }

  #startAgeTimer(): void {
    const maxAgeMs = this.#maxAgeMs
    if (maxAgeMs === null) return
    this.#ageTimer = this.#deps.clock.startTimer(Math.min(maxAgeCheckMs, maxAgeMs), () => {
      void this.#dropOld(maxAgeMs)
      this.#startAgeTimer()
    })
  }

  async #dropOld(maxAgeMs: number): Promise<void> {
    const youngUs = this.#deps.clock.nowUs() - (maxAgeMs * 1000) / segmentsInAll
    for (const { disk } of this.#all) disk.roll(youngUs)
    // The newest segment stays until there is a newer one.
    await this.#catchUp()
    await this.#shelf.makeRoom()
  }
}

function noteOf({ name, extent }: Segment): NotedSegment {
  return { name, dataBytes: extent.dataBytes, indexBytes: extent.indexBytes }
}
