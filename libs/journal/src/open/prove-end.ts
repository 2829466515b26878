import { crc32 } from "node:zlib"
import { comparePositions, type Position } from "@serialcast/records"
import type { Files } from "../disk/files.ts"
import { readAround } from "../disk/read-around.ts"
import { EntryReader } from "../format/entry-reader.ts"
import { type Frame, kindOf } from "../format/frame.ts"
import type { IndexEntry } from "../format/index-entry.ts"
import { isHeader, readHeader } from "../format/segment-header.ts"
import { walkIndex } from "../format/walk-index.ts"
import type { Segment, SegmentExtent } from "../shelf/segment.ts"

/** What the newest segment of a stream is like after the process that wrote it ended. */
export interface ProvenEnd {
  /** Up to the last record that is as it was written. */
  readonly extent: SegmentExtent
  /** Its index is what was written, or its last entry is cut short as by a kill; and the last bytes are what was written. */
  readonly isProven: boolean
  /** The highest count of openings that it tells; 0: none. */
  readonly opens: number
}

// Of the index, so much before its end is checked against the bytes: more than a process writes at once.
const checkedBytes = 300 * 1024
/** The kind of entry of which there are many, "b". */
const bytesKind = 0x62

export interface NotedSizes {
  readonly dataBytes: number
  readonly indexBytes: number
}

/**
 * Walks over a segment's index, and checks the end of it against the bytes. Bytes that it does not speak of are nothing: they
 * were not shown, or are somebody else's. `sizes` are the valid ones, where they are known.
 */
export async function proveEnd(files: Files, segment: Segment, sizes?: NotedSizes): Promise<ProvenEnd> {
  const index = await files.open(segment.path("index"), "r")
  try {
    const data = await files.open(segment.path("bytes"), "r")
    try {
      const { sizeBytes: dataBytes } = await files.status(data)
      const { sizeBytes: indexBytes } = await files.status(index)
      const valid = { dataBytes: sizes?.dataBytes ?? dataBytes, indexBytes: sizes?.indexBytes ?? indexBytes }
      const walk = new EndWalk(files, segment.start, { index, data }, valid)
      return await walk.run()
    } finally {
      await files.close(data)
    }
  } finally {
    await files.close(index)
  }
}

class EndWalk {
  readonly #files: Files
  readonly #start: Position
  readonly #file: { readonly index: number; readonly data: number }
  readonly #sizes: NotedSizes
  readonly #reader: EntryReader
  #position: Position
  #indexEnd = 0
  #lastUs = 0
  #opens = 0
  readonly #unchecked: { readonly entry: Extract<IndexEntry, { kind: "bytes" }>; readonly at: number }[] = []

  constructor(files: Files, start: Position, file: { index: number; data: number }, sizes: NotedSizes) {
    this.#files = files
    this.#start = start
    this.#file = file
    this.#sizes = sizes
    this.#reader = new EntryReader(start)
    this.#position = start
  }

  async run(): Promise<ProvenEnd> {
    const { indexBytes } = this.#sizes
    const { isDamaged } = await walkIndex(
      this.#files,
      { file: this.#file.index, from: 0, to: indexBytes },
      {
        isRestart: () => false,
        visit: (frame, at) => (this.#pass(frame, at) ? "on" : "damaged"),
      },
    )
    const isProven = !isDamaged && (await this.#check())
    return { extent: this.#extent, isProven, opens: this.#opens }
  }

  get #extent(): SegmentExtent {
    const dataBytes = this.#position.offset - this.#start.offset
    return { dataBytes, indexBytes: this.#indexEnd, end: this.#position, lastUs: this.#lastUs }
  }

  #pass(frame: Frame, at: number): boolean {
    if (isHeader(frame)) {
      const header = readHeader(frame)
      if (header === undefined || at !== 0) return false
      this.#opens = header.header.opens
      this.#lastUs = header.timeUs
      this.#indexEnd = frame.length
      return true
    }
    const step = this.#needsReading(frame, at) ? this.#reader.step(frame, this.#position) : undefined
    const end =
      step?.end ?? (this.#needsReading(frame, at) ? undefined : this.#reader.endOf(frame, this.#position))
    if (end === undefined || comparePositions(end, this.#position) < 0) return false
    if (step?.entry.kind === "bytes")
      this.#unchecked.push({ entry: step.entry, at: this.#position.offset - this.#start.offset })
    if (step?.entry.kind === "bytes" || step?.entry.kind === "mark") this.#lastUs = step.entry.timeUs
    if (step?.entry.kind === "mark" && step.entry.mark.kind === "opened") this.#opens = step.entry.mark.open
    this.#position = end
    this.#indexEnd = at + frame.length
    return true
  }

  /** What other entries refer to, marks, which are few, and the end. */
  #needsReading(frame: Frame, at: number): boolean {
    return kindOf(frame) !== bytesKind || at >= this.#sizes.indexBytes - checkedBytes
  }

  /** Whether the bytes that the end of the index speaks of are what was written. */
  async #check(): Promise<boolean> {
    const [first] = this.#unchecked
    if (this.#extent.dataBytes > this.#sizes.dataBytes) return false
    if (first === undefined) return true
    const bytes = new Uint8Array(this.#extent.dataBytes - first.at)
    const got = await readAround(this.#files, this.#file.data, bytes, first.at)
    return this.#unchecked.every(({ at, entry: { length, checksum } }) => {
      const from = at - first.at
      return from + length <= got && crc32(bytes.subarray(from, from + length)) === checksum
    })
  }
}
