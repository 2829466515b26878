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
import { type Clock, type Timer, type Wakeup, withDeadline } from "@serialcast/primitives"
import type { Logger } from "@serialcast/service-kit"
import { createFiles, type Files } from "./files.ts"
import type { Journal, NewMark, RememberedWrite } from "./journal.ts"
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
  readonly files?: Files
}

// A few segments' worth of history is dropped at a time, and a device's folder has a few dozen files.
const segmentsInAll = 16
const minSegmentBytes = 64 * 1024
const maxSegmentBytes = 4 * 1024 * 1024
// A batch is a small part of a segment, so that segments are filled; beyond this, system calls cost no less each.
const maxBatchBytes = 256 * 1024
const batchesInSegment = 4
const maxAgeCheckMs = 3_600_000
// An agent has 5 s to stop.
const closeTimeoutMs = 3_000

interface Internals extends DiskJournalDeps {
  readonly files: Files
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
  const { log, files = createFiles() } = deps
  const note = new JournalNote(options.dir, { files, log })
  const internals = { ...deps, files, note, readFiles: new ReadFiles(files) }
  const journal = new DiskJournal(options, internals, await find(options.dir, internals))
  await journal.start()
  return journal
}

async function find(dir: string, deps: Internals): Promise<Found> {
  const { log, files } = deps
  try {
    const recovered = await recover(dir, deps)
    const segments = recovered.epochs.flatMap((epoch) => epoch.segments.tx)
    return { ...recovered, writes: await rememberWrites(files, segments) }
  } catch (error) {
    log.error({ dir, reason: String(error) }, "the journal cannot be read, and begins anew")
    return { epochs: [], opens: 0, writers: null, writes: [] }
  }
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
  #opens: number
  #syncProblem: AppError | null = null
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

  /** Takes hold of the disk, once, before anything else. */
  async start(): Promise<void> {
    await this.#shelf.makeRoom()
    for (const { disk, log } of this.#all) if (disk.isDue(log.ring.head)) await disk.restart(log.ring.head)
    await this.#writeNote()
    this.#startAgeTimer()
  }

  append(stream: StreamName, bytes: Uint8Array): void {
    if (!this.#isClosed) this.#streams[stream].log.append(bytes)
  }

  mark(stream: StreamName, mark: NewMark): void {
    if (this.#isClosed) return
    if (mark.kind === "opened") this.#opens = mark.open
    this.#streams[stream].log.mark(mark)
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
    await this.settled()
    const content = this.#noteContent()
    this.#isNoteFinal = true
    for (const { disk } of this.#all) disk.close()
    await this.#syncer.close()
    await this.#deps.readFiles.close()
    if (content !== null && this.#syncProblem === null)
      await this.#deps.note.write({ ...content, isClean: true })
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
    const { clock } = this.#deps
    this.#ageTimer = clock.startTimer(Math.min(maxAgeCheckMs, maxAgeMs), () => {
      const youngUs = clock.nowUs() - (maxAgeMs * 1000) / segmentsInAll
      for (const { disk } of this.#all) disk.roll(youngUs)
      void this.#shelf.makeRoom()
      this.#startAgeTimer()
    })
  }
}

function noteOf({ name, extent }: Segment): NotedSegment {
  return { name, dataBytes: extent.dataBytes, indexBytes: extent.indexBytes }
}
