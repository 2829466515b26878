import { join } from "node:path"
import { AppError, type StreamName, type StreamRecord } from "@serialcast/contract"
import { comparePositions, type Position } from "@serialcast/records"
import { errorCodeOf } from "../disk/disk-error.ts"
import type { Files } from "../disk/files.ts"
import { isPlaceError, readAround } from "../disk/read-around.ts"
import { EntryReader } from "../format/entry-reader.ts"
import type { Checkpoint } from "../format/entry-writer.ts"
import { findFrame, isIntact } from "../format/frame.ts"
import { type HeaderEntry, isHeader, readHeader } from "../format/segment-header.ts"
import { formatSegmentName } from "../format/segment-name.ts"
import { walkIndex } from "../format/walk-index.ts"
import type { Piece } from "../page/make-page.ts"
import type { Pair, ReadFiles } from "../page/read-files.ts"
import { collectEntries, readRecords } from "../page/read-records.ts"

// Twice what one takes.
const maxHeaderBytes = 512

export interface SegmentPlace {
  /** Of the epoch. */
  readonly folder: string
  readonly epoch: string
  readonly stream: StreamName
  readonly start: Position
}

export interface SegmentDeps {
  readonly files: Files
  readonly readFiles: ReadFiles
  /** Something of a segment is not what was written, or the disk cannot read it. `isTail`: and nothing behind it. */
  readonly onUnreadable: (segment: SegmentPlace, reason: string, isTail: boolean) => void
}

/** How far a segment goes, on disk and in the stream. */
export interface SegmentExtent {
  readonly dataBytes: number
  readonly indexBytes: number
  readonly end: Position
  /** When its last record was made, in microseconds since 1970. */
  readonly lastUs: number
}

/**
 * Consecutive records of one stream on disk: a file that has their bytes and nothing else, and the index beside it. Of one
 * that an earlier process left only the name is known until somebody reads it: opening a journal costs no look into what
 * it has kept.
 */
export class Segment implements Piece {
  readonly isRing = false
  /** Its files are deleted, or about to be. */
  isDropped = false
  readonly place: SegmentPlace
  readonly name: string
  readonly #deps: SegmentDeps
  /** null: its files are as an earlier process left them. */
  #extent: SegmentExtent | null = null
  /** Both files, as they were when somebody looked. */
  #measuredBytes = 0
  #header: Promise<HeaderEntry | null> | null = null
  /** In order; those of earlier processes are missing until `#learn`. */
  #checkpoints: Checkpoint[] = []
  /** The index up to here has no checkpoints yet. */
  #unlearnedBytes: number | null
  #learning: Promise<void> | null = null

  private constructor(deps: SegmentDeps, place: SegmentPlace, unlearnedBytes: number | null) {
    this.#deps = deps
    this.place = place
    this.name = formatSegmentName(place.stream, place.start)
    this.#unlearnedBytes = unlearnedBytes
  }

  /** One that an earlier process left. */
  static found(deps: SegmentDeps, place: SegmentPlace): Segment {
    return new Segment(deps, place, Number.POSITIVE_INFINITY)
  }

  /** One that begins now. */
  static begun(
    deps: SegmentDeps,
    place: SegmentPlace,
    { header, timeUs }: Pick<HeaderEntry, "header" | "timeUs">,
  ): Segment {
    const segment = new Segment(deps, place, null)
    segment.#header = Promise.resolve({ kind: "header", start: place.start, header, timeUs })
    return segment
  }

  get epoch(): string {
    return this.place.epoch
  }

  get start(): Position {
    return this.place.start
  }

  /** Of one that an earlier process left it is not known: the same object for as long as it does not grow. */
  get end(): Position {
    return this.#extent?.end ?? this.place.start
  }

  get sizeBytes(): number {
    return this.#extent === null ? this.#measuredBytes : this.#extent.dataBytes + this.#extent.indexBytes
  }

  path(kind: "bytes" | "index"): string {
    return join(this.place.folder, `${this.name}.${kind}`)
  }

  /** It goes on up to `extent`, and grows from there. */
  resume(extent: SegmentExtent): void {
    this.#unlearnedBytes = extent.indexBytes
    this.#extent = extent
  }

  /** It was written to; `blocks` begin in what is new. */
  extend(extent: SegmentExtent, blocks: readonly Checkpoint[]): void {
    this.#checkpoints.push(...blocks)
    this.#extent = extent
  }

  /** Looks at the sizes of its files. */
  async measure(): Promise<void> {
    let bytes = 0
    for (const kind of ["index", "bytes"] as const) {
      try {
        bytes += await this.#deps.files.measure(this.path(kind))
      } catch (error) {
        if (errorCodeOf(error) !== "ENOENT") throw error
      }
    }
    this.#measuredBytes = bytes
  }

  /** What its first entry says; null when that cannot be read. */
  async readHeader(): Promise<HeaderEntry | null> {
    this.#header ??= this.#use<HeaderEntry | null>(null, ({ index }) =>
      readOwnHeader(this.#deps.files, index, this.place),
    )
    const header = await this.#header
    // A disk that could not read it may do so later.
    if (header === null) this.#header = null
    return header
  }

  /** How long its index is, in bytes; 0 when that cannot be told. */
  async indexBytes(): Promise<number> {
    return await this.#deps.files.measure(this.path("index")).catch(() => 0)
  }

  async firstUs(): Promise<number | null> {
    return (await this.readHeader())?.timeUs ?? null
  }

  /** Records from the first one on that ends after `from` and can be read; none when that is beyond this segment. */
  async read(from: Position, maxBytes: number): Promise<readonly StreamRecord[]> {
    return await this.#use<readonly StreamRecord[]>([], async ({ index, data }) => {
      await this.#learn(index)
      let restart: Pick<Checkpoint, "at" | "position"> = this.#checkpointFor(
        ({ position }) => comparePositions(position, from) <= 0,
      )
      for (let wantedFrom = from; ; ) {
        const range = { file: index, from: restart.at, to: await this.#sizeOf(index) }
        const wanted = {
          position: restart.position,
          from: wantedFrom,
          maxBytes,
          reader: new EntryReader(this.start),
        }
        const found = await collectEntries(this.#deps.files, range, wanted)
        if (found.isDamaged) this.#report("its index is not what was written", found.entries.length === 0)
        if (found.entries.length === 0) return []
        const file = { file: data, firstOffset: this.start.offset }
        const { records, isDamaged } = await readRecords(this.#deps.files, file, found)
        if (isDamaged) this.#report("its bytes are not what was written", found.isEnd)
        const start = comparePositions(wantedFrom, records.start) > 0 ? wantedFrom : records.start
        const read = records.read(start, maxBytes)
        if (read.length > 0) return read
        // All of these are damaged: there may be good ones behind them.
        restart = found.restart
        wantedFrom = found.next
      }
    })
  }

  /** Where the first record of this time or later starts; undefined when all are older. */
  async findTime(timeUs: number): Promise<Position | undefined> {
    return await this.#use<Position | undefined>(undefined, async ({ index }) => {
      await this.#learn(index)
      const start = this.#checkpointFor((checkpoint) => checkpoint.timeUs < timeUs)
      const reader = new EntryReader(this.start)
      let { position } = start
      const range = { file: index, from: start.at, to: await this.#sizeOf(index) }
      const { why } = await walkIndex(this.#deps.files, range, {
        isRestart: (frame) => reader.isRestart(frame),
        visit: (frame) => {
          const step = reader.step(frame, position)
          if (step === undefined) return "damaged"
          const { entry, end } = step
          if ((entry.kind === "bytes" || entry.kind === "mark") && entry.timeUs >= timeUs) return "stopped"
          position = end
          return "on"
        },
      })
      return why === "stopped" ? position : undefined
    })
  }

  /** Shows every entry from the last checkpoints on that `fromBytes` of index before its end are behind. */
  async scanEnd(
    fromBytes: number,
    visit: (frame: Parameters<EntryReader["read"]>[0], reader: EntryReader) => void,
  ): Promise<void> {
    await this.#use<void>(undefined, async ({ index }) => {
      const to = await this.#sizeOf(index)
      const reader = new EntryReader(this.start)
      const from = Math.max(0, to - fromBytes)
      let isAligned = from === 0
      await walkIndex(
        this.#deps.files,
        { file: index, from, to },
        {
          isRestart: (frame) => reader.isRestart(frame),
          visit: (frame) => {
            // In the middle of an entry, what looks like one need not be.
            if (!isAligned && !(reader.isRestart(frame) && isIntact(frame))) return "damaged"
            isAligned = true
            visit(frame, reader)
            return "on"
          },
        },
      )
    })
  }

  /** Walks over the part of an earlier process, once. */
  async #learn(index: number): Promise<void> {
    if (this.#unlearnedBytes === null) return
    this.#learning ??= this.#findCheckpoints(index, this.#unlearnedBytes).finally(() => {
      this.#learning = null
    })
    await this.#learning
  }

  async #findCheckpoints(index: number, upTo: number): Promise<void> {
    const reader = new EntryReader(this.start)
    const found: Checkpoint[] = []
    let position = this.start
    const range = { file: index, from: 0, to: Math.min(upTo, await this.#sizeOf(index)) }
    await walkIndex(this.#deps.files, range, {
      isRestart: (frame) => reader.isRestart(frame),
      visit: (frame, at) => {
        if (reader.isRestart(frame)) {
          const entry = reader.read(frame)
          if (entry === undefined || entry.kind === "aside" || entry.kind === "header") return "damaged"
          if (entry.kind === "block") position = entry.start
          addCheckpoint(found, { at, position, timeUs: entry.timeUs })
        }
        const end = isHeader(frame) ? this.start : reader.endOf(frame, position)
        if (end === undefined) return "damaged"
        position = end
        return "on"
      },
    })
    this.#checkpoints = [...found, ...this.#checkpoints]
    this.#unlearnedBytes = null
  }

  /** The last one for which `isBefore` holds, which must hold for a first part of them; else the index's start. */
  #checkpointFor(isBefore: (checkpoint: Checkpoint) => boolean): Checkpoint {
    return this.#checkpoints.findLast(isBefore) ?? { at: 0, position: this.start, timeUs: 0 }
  }

  #report(reason: string, isTail: boolean): void {
    this.#deps.onUnreadable(this.place, reason, isTail)
  }

  async #sizeOf(index: number): Promise<number> {
    return this.#extent?.indexBytes ?? (await this.#deps.files.status(index)).sizeBytes
  }

  /** Answers `ifGone` when the segment was dropped meanwhile, or the disk cannot read its files at all. */
  async #use<T>(ifGone: T, work: (files: Pair) => Promise<T>): Promise<T> {
    try {
      return await this.#deps.readFiles.use(this, work)
    } catch (cause) {
      if (this.isDropped) return ifGone
      if (errorCodeOf(cause) === "ENOENT" || isPlaceError(cause)) {
        this.#report(String(cause), false)
        return ifGone
      }
      if (cause instanceof AppError) throw cause
      throw new AppError("journal_failed", `${this.name} cannot be read: ${String(cause)}`, { cause })
    }
  }
}

// A page walks over so much of an index in vain at most, beside a block of its own.
const checkpointBytes = 16 * 1024

function addCheckpoint(checkpoints: Checkpoint[], checkpoint: Checkpoint): void {
  const last = checkpoints.at(-1)
  if (last === undefined || checkpoint.at - last.at >= checkpointBytes) checkpoints.push(checkpoint)
}

async function readOwnHeader(
  files: Files,
  index: number,
  { epoch, stream, start }: SegmentPlace,
): Promise<HeaderEntry | null> {
  const block = new Uint8Array(maxHeaderBytes)
  const got = await readAround(files, index, block, 0)
  const frame = findFrame(new DataView(block.buffer, 0, got), 0)
  const entry = typeof frame === "string" ? undefined : readHeader(frame)
  if (entry === undefined || entry.header.epoch !== epoch || entry.header.stream !== stream) return null
  return comparePositions(entry.start, start) === 0 ? entry : null
}
