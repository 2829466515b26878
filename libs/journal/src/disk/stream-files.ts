import { AppError, isMarkRecord, type Mark, type StreamRecord } from "@serialcast/contract"
import { comparePositions, type Position } from "@serialcast/records"
import type { SegmentHeader } from "../format/index-entry.ts"
import { Segment, type SegmentDeps, type SegmentExtent, type SegmentPlace } from "../shelf/segment.ts"
import type { Shelf } from "../shelf/shelf.ts"
import type { FilesEnd } from "../stage/files-end.ts"
import type { Batch } from "../stream/stream-state.ts"
import { isDiskFull } from "./disk-error.ts"
import type { Files } from "./files.ts"
import { SegmentWriter } from "./segment-writer.ts"
import type { Syncable, Syncer } from "./syncer.ts"

export interface StreamFilesDeps {
  /** For writing: nothing is given up, because nobody could say then what is where. */
  readonly files: Files
  /** For reading what was written. */
  readonly reading: SegmentDeps
  readonly shelf: Shelf
  readonly syncer: Syncer
  /** The size at which a segment is full. */
  readonly segmentBytes: number
  readonly place: Omit<SegmentPlace, "start">
  /** Of a segment that begins now. */
  readonly createHeader: () => SegmentHeader
  readonly nowUs: () => number
  /** The disk was made to keep all before `position`. */
  readonly onSynced: (position: Position) => void
  /** The newest segment or `problem` is another. */
  readonly onChange: () => void
}

/** The newest segment of an earlier process. */
export interface Resumable {
  readonly segment: Segment
  readonly extent: SegmentExtent
}

/**
 * The files of one stream. A full disk costs the oldest segments. A segment that a write failed in is not written to any
 * more: the next one begins behind what it has.
 */
export class StreamFiles {
  readonly #deps: StreamFilesDeps
  #resumable: Resumable | null
  #writer: SegmentWriter | null = null
  #problem: AppError | null = null
  #isFull = false

  constructor(deps: StreamFilesDeps, resumable: Resumable | null) {
    this.#deps = deps
    this.#resumable = resumable
    resumable?.segment.resume(resumable.extent)
  }

  /** Why the last batch was not kept; null when it was. */
  get problem(): AppError | null {
    return this.#problem
  }

  /** The newest segment; null: none is open. */
  get newest(): Resumable | null {
    if (this.#writer === null) return this.#resumable
    return { segment: this.#writer.segment, extent: this.#writer.extent }
  }

  /** Where the files end; null: none is open. */
  get end(): Omit<FilesEnd, "opens"> | null {
    const { newest } = this
    if (newest === null) return null
    const { dataBytes, indexBytes, end, lastUs } = newest.extent
    return { position: end, start: newest.segment.start, dataBytes, indexBytes, lastUs }
  }

  /** Resolves when the kernel has the batch: false when it refuses, with nothing left to drop for it. */
  async keep(batch: Batch): Promise<boolean> {
    return await this.#attempt(async () => {
      const writer = await this.#writerFor(batch)
      await writer.write(batch)
      this.#deps.syncer.touch(this.#syncableOf(writer), sizeOf(batch.records))
    })
  }

  /** Ends the segment when it began before `olderThanUs`, at `head`, which is all: age takes whole segments. */
  async roll(olderThanUs: number, head: Position): Promise<void> {
    const { newest } = this
    if (newest === null || comparePositions(newest.extent.end, newest.segment.start) === 0) return
    const firstUs = await newest.segment.firstUs()
    if (firstUs === null || firstUs >= olderThanUs) return
    if (comparePositions(newest.extent.end, head) !== 0) return
    await this.#attempt(async () => {
      await this.#begin(head, this.#deps.nowUs())
    })
  }

  /** The next record begins a segment. */
  endSegment(): void {
    this.#isFull = true
  }

  /** Gives up its files. */
  close(): void {
    this.#retire()
  }

  async #writerFor({ from, records }: Batch): Promise<SegmentWriter> {
    const { newest } = this
    const joins = newest !== null && comparePositions(newest.extent.end, from) === 0
    const size = (newest?.extent.dataBytes ?? 0) + (newest?.extent.indexBytes ?? 0) + sizeOf(records)
    if (joins && !this.#isFull && size <= this.#deps.segmentBytes) {
      if (this.#writer !== null) return this.#writer
      const resumed = await this.#resume()
      if (resumed !== null) return resumed
    }
    return await this.#begin(from, records[0]?.timeUs ?? this.#deps.nowUs())
  }

  /** null when the disk does not let it. */
  async #resume(): Promise<SegmentWriter | null> {
    const resumable = this.#resumable
    if (resumable === null) return null
    this.#resumable = null
    try {
      this.#writer = await SegmentWriter.resume(this.#deps.files, resumable.segment, resumable.extent)
    } catch (error) {
      if (isDiskFull(error)) throw error
    }
    return this.#writer
  }

  async #begin(start: Position, timeUs: number): Promise<SegmentWriter> {
    const { files, reading, shelf, place, segmentBytes, createHeader, onChange } = this.#deps
    await shelf.makeRoom(place.stream, segmentBytes)
    const header = createHeader()
    const writer = await SegmentWriter.create(
      files,
      Segment.begun(reading, { ...place, start }, { header, timeUs }),
      {
        header,
        timeUs,
      },
    )
    this.#retire()
    this.#writer = writer
    this.#isFull = false
    shelf.add(writer.segment)
    onChange()
    return writer
  }

  async #attempt(work: () => Promise<void>): Promise<boolean> {
    for (;;) {
      try {
        await work()
        this.#setProblem(null)
        return true
      } catch (error) {
        await this.#abandon()
        if (isDiskFull(error) && (await this.#deps.shelf.dropForRoom(this.#deps.place.stream))) continue
        this.#setProblem(error)
        return false
      }
    }
  }

  /** What the failed write left is cut off, so that it is not taken for more than it is. */
  async #abandon(): Promise<void> {
    const writer = this.#writer
    // A disk that refuses this as well leaves a tail that the index, or its checksums, do not prove.
    if (writer !== null) await writer.trim().catch(() => {})
    this.#retire()
  }

  #retire(): void {
    const writer = this.#writer
    this.#writer = null
    this.#resumable = null
    if (writer !== null) this.#deps.syncer.retire(this.#syncableOf(writer))
  }

  readonly #syncables = new WeakMap<SegmentWriter, Syncable>()

  /** Always the same one for a writer. */
  #syncableOf(writer: SegmentWriter): Syncable {
    const known = this.#syncables.get(writer)
    if (known !== undefined) return known
    const syncable = {
      sync: async () => {
        const { end } = writer.extent
        await writer.sync()
        this.#deps.onSynced(end)
      },
      close: () => writer.close(),
    }
    this.#syncables.set(writer, syncable)
    return syncable
  }

  #setProblem(cause: unknown): void {
    if (cause === null && this.#problem === null) return
    const reason = cause instanceof Error ? cause.message : String(cause)
    this.#problem =
      cause === null ? null : new AppError("journal_failed", `New bytes are not kept: ${reason}.`, { cause })
    this.#deps.onChange()
  }
}

// What an entry of the index takes: of bytes, and of a mark beside its texts.
const entryBytes = 32
const markEntryBytes = 128

/** What records take on disk, at most or a little more. */
function sizeOf(records: readonly StreamRecord[]): number {
  let bytes = 0
  for (const record of records)
    bytes += isMarkRecord(record)
      ? markEntryBytes + textBytes(record.mark)
      : entryBytes + record.bytes.byteLength
  return bytes
}

/** Of UTF-8, three bytes at most for each UTF-16 unit. */
function textBytes(mark: Mark): number {
  let units = 0
  for (const value of Object.values(mark)) if (typeof value === "string") units += value.length
  return 3 * units
}
