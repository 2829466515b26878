import { join } from "node:path"
import { AppError, type StreamName, type StreamRecord } from "@serialcast/contract"
import { comparePositions, type Position } from "@serialcast/device-stream"
import { errorCodeOf } from "./disk-error.ts"
import type { Files } from "./files.ts"
import { decodeEntry, endOfRaw, type IndexEntry } from "./index-entry.ts"
import type { Piece } from "./make-page.ts"
import type { ReadFiles } from "./read-files.ts"
import { collectEntries, endOfEntry, readRecords } from "./read-records.ts"
import { formatSegmentName } from "./segment-name.ts"
import { type WalkEnd, walkIndex } from "./walk-index.ts"

// A page walks over so much of an index in vain at most.
const checkpointBytes = 64 * 1024

/** Where an entry of the index is, and what stands there in the stream. */
interface Checkpoint {
  readonly at: number
  readonly position: Position
  readonly timeUs: number
}

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
}

/** How far a segment goes, on disk and in the stream. */
export interface SegmentExtent {
  readonly dataBytes: number
  readonly indexBytes: number
  readonly end: Position
  /** When its last record was made, or a later time. */
  readonly lastUs: number
}

export interface ScannedEntry {
  readonly entry: IndexEntry
  /** Where the entry before it ends in the stream. */
  readonly position: Position
  /** Where this one ends in the index. */
  readonly indexEnd: number
}

/** Consecutive records of one stream on disk: a file that has their bytes and nothing else, and the index beside it. */
export class Segment implements Piece {
  readonly isRing = false
  /** Its files are deleted, or about to be. */
  isDropped = false
  readonly place: SegmentPlace
  readonly name: string
  readonly firstUs: number
  readonly #files: Files
  readonly #readFiles: ReadFiles
  readonly #checkpoints: Checkpoint[]
  #extent: SegmentExtent
  /** So much of the index is known to be good, and has its checkpoints. */
  #knownBytes = 0
  #scan: Promise<unknown> | null = null

  constructor(
    { files, readFiles }: SegmentDeps,
    place: SegmentPlace,
    { firstUs, ...extent }: SegmentExtent & { readonly firstUs: number },
  ) {
    this.#files = files
    this.#readFiles = readFiles
    this.place = place
    this.name = formatSegmentName(place.stream, place.start)
    this.firstUs = firstUs
    this.#extent = extent
    this.#checkpoints = [{ at: 0, position: place.start, timeUs: firstUs }]
  }

  get epoch(): string {
    return this.place.epoch
  }

  get start(): Position {
    return this.place.start
  }

  get end(): Position {
    return this.#extent.end
  }

  get extent(): SegmentExtent {
    return this.#extent
  }

  get sizeBytes(): number {
    return this.#extent.dataBytes + this.#extent.indexBytes
  }

  path(kind: "bytes" | "index"): string {
    return join(this.place.folder, `${this.name}.${kind}`)
  }

  /** It was written to: what is new begins at the old end. */
  extend(extent: SegmentExtent, firstUs: number): void {
    this.#addCheckpoint({ at: this.#extent.indexBytes, position: this.#extent.end, timeUs: firstUs })
    this.#extent = extent
    this.#knownBytes = extent.indexBytes
  }

  /** Sets what is only known from elsewhere: another segment, or a repair. */
  correct(extent: Partial<SegmentExtent>): void {
    this.#extent = { ...this.#extent, ...extent }
  }

  /** Records from the first one on that ends after `from` and can be read; none when that is beyond this segment. */
  async read(from: Position, maxBytes: number): Promise<readonly StreamRecord[]> {
    return await this.#readFrom<readonly StreamRecord[]>([], async ({ index, data }) => {
      await this.#learn(index)
      let { at, position } = this.#checkpointFor(
        (checkpoint) => comparePositions(checkpoint.position, from) <= 0,
      )
      for (;;) {
        const range = { file: index, from: at, to: this.#knownBytes }
        const found = await collectEntries(this.#files, range, { position, from, maxBytes })
        if (found.entries.length === 0) return []
        const records = await readRecords(
          this.#files,
          { file: data, firstOffset: this.place.start.offset },
          found,
        )
        const wanted = records.read(
          comparePositions(from, records.start) > 0 ? from : records.start,
          maxBytes,
        )
        if (wanted.length > 0) return wanted
        // All of these are damaged: there may be good ones behind them.
        at = found.nextAt
        position = found.next
      }
    })
  }

  /** Where the first record of this time or later starts; undefined when all are older. */
  async findTime(timeUs: number): Promise<Position | undefined> {
    return await this.#readFrom(undefined, async ({ index }) => {
      await this.#learn(index)
      const start = this.#checkpointFor((checkpoint) => checkpoint.timeUs < timeUs)
      let { position } = start
      const end = await walkIndex(
        this.#files,
        { file: index, from: start.at, to: this.#knownBytes },
        (raw) => {
          const entry = decodeEntry(raw)
          if (entry === undefined) return "damaged"
          if (entry.kind !== "header" && entry.timeUs >= timeUs) return "stopped"
          position = endOfRaw(raw)
          return "on"
        },
      )
      return end.why === "stopped" ? position : undefined
    })
  }

  /** Reads the whole index, as far as it is good and `visit` says so, and sets checkpoints on the way. */
  async scan(
    index: number,
    visit: (scanned: ScannedEntry) => "on" | "damaged" = () => "on",
  ): Promise<WalkEnd> {
    let position = this.place.start
    const range = { file: index, from: 0, to: this.#extent.indexBytes }
    const end = await walkIndex(this.#files, range, (raw, at) => {
      const entry = decodeEntry(raw)
      if (entry === undefined) return "damaged"
      if (visit({ entry, position, indexEnd: at + raw.length }) === "damaged") return "damaged"
      this.#addCheckpoint({ at, position, timeUs: entry.timeUs })
      position = endOfEntry(entry)
      return "on"
    })
    this.#knownBytes = end.at
    return end
  }

  /** For a segment of an earlier process: what is behind damage in its index is lost. */
  async #learn(index: number): Promise<void> {
    if (this.#knownBytes > 0) return
    this.#scan ??= this.scan(index).finally(() => {
      this.#scan = null
    })
    await this.#scan
  }

  /** The last one for which `isBefore` holds, which must hold for a first part of them; else the first. */
  #checkpointFor(isBefore: (checkpoint: Checkpoint) => boolean): Checkpoint {
    const found = this.#checkpoints.findLast(isBefore)
    return found ?? { at: 0, position: this.place.start, timeUs: this.firstUs }
  }

  #addCheckpoint(checkpoint: Checkpoint): void {
    const last = this.#checkpoints.at(-1)
    if (last === undefined || checkpoint.at - last.at >= checkpointBytes) this.#checkpoints.push(checkpoint)
  }

  /** Answers `ifGone` when the segment was dropped meanwhile. */
  async #readFrom<T>(ifGone: T, work: (files: { index: number; data: number }) => Promise<T>): Promise<T> {
    try {
      return await this.#readFiles.use(this, work)
    } catch (cause) {
      if (errorCodeOf(cause) === "ENOENT") return ifGone
      if (cause instanceof AppError) throw cause
      throw new AppError("journal_failed", `${this.name} cannot be read: ${String(cause)}`, { cause })
    }
  }
}
