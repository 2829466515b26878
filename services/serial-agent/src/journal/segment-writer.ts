import { dirname } from "node:path"
import { isMarkRecord, type StreamRecord } from "@serialcast/contract"
import { endOf, type Position } from "@serialcast/device-stream"
import { concatBytes } from "@serialcast/primitives"
import type { Files } from "./files.ts"
import { encodeHeader, encodeRecord, type SegmentHeader } from "./index-entry.ts"
import { Segment, type SegmentDeps, type SegmentPlace } from "./segment.ts"

/** Consecutive records of a stream, with their entries for the index, that are written together. */
export interface Batch {
  readonly start: Position
  readonly end: Position
  readonly records: readonly StreamRecord[]
  readonly entries: readonly Uint8Array[]
  /** What it takes on disk. */
  readonly sizeBytes: number
}

// Each has its own checksum: a page that begins in the middle of one reads as much in vain.
const maxChunkBytes = 16 * 1024

/** Bytes as pieces that each fit into an entry of the index. */
export function cutIntoChunks(bytes: Uint8Array, offset: number): { offset: number; bytes: Uint8Array }[] {
  return Array.from({ length: Math.ceil(bytes.byteLength / maxChunkBytes) }, (_, count) => {
    const at = count * maxChunkBytes
    return { offset: offset + at, bytes: bytes.subarray(at, at + maxChunkBytes) }
  })
}

/** `records` follow one another from `start` on; `entries` are theirs. */
export function createBatch(
  start: Position,
  records: readonly StreamRecord[],
  entries: readonly Uint8Array[] = records.map(encodeRecord),
): Batch {
  const last = records.at(-1)
  const end = last === undefined ? start : endOf(last)
  const indexBytes = entries.reduce((sum, { byteLength }) => sum + byteLength, 0)
  return { start, end, records, entries, sizeBytes: end.offset - start.offset + indexBytes }
}

/** The segment that a stream grows in, with its files open. */
export class SegmentWriter {
  readonly segment: Segment
  readonly #files: Files
  readonly #data: number
  readonly #index: number
  /** What the medium may lack. */
  readonly #unsynced = { names: false, data: false, index: false }
  #reached: Position

  private constructor(files: Files, segment: Segment, [data, index]: readonly [number, number]) {
    this.#files = files
    this.segment = segment
    this.#data = data
    this.#index = index
    this.#reached = segment.extent.end
  }

  /** What the next process would find ends here, though the process were killed now. */
  get reached(): Position {
    return this.#reached
  }

  /** Begins a segment; what a failed attempt left under its name is overwritten. */
  static async create(
    deps: SegmentDeps,
    place: SegmentPlace,
    { header, timeUs }: { readonly header: SegmentHeader; readonly timeUs: number },
  ): Promise<SegmentWriter> {
    const { files } = deps
    await files.makeFolder(place.folder)
    const nothing = { dataBytes: 0, indexBytes: 0, end: place.start, lastUs: timeUs }
    const segment = new Segment(deps, place, { ...nothing, firstUs: timeUs })
    const writer = await SegmentWriter.#open(files, segment, "w+")
    const entry = encodeHeader(header, place.start, timeUs)
    try {
      await files.write(writer.#index, entry, 0)
    } catch (error) {
      await writer.discard()
      throw error
    }
    segment.extend({ ...nothing, indexBytes: entry.byteLength }, timeUs)
    Object.assign(writer.#unsynced, { names: true, index: true })
    return writer
  }

  /** Goes on with a segment that was verified. */
  static async resume(files: Files, segment: Segment): Promise<SegmentWriter> {
    return await SegmentWriter.#open(files, segment, "r+")
  }

  static async #open(files: Files, segment: Segment, flags: "r+" | "w+"): Promise<SegmentWriter> {
    const data = await files.open(segment.path("bytes"), flags)
    try {
      return new SegmentWriter(files, segment, [data, await files.open(segment.path("index"), flags)])
    } catch (error) {
      await files.close(data)
      throw error
    }
  }

  /**
   * Resolves when the kernel has all of it. The bytes go first, so that an index never speaks of bytes that are not
   * there. When these are all there is, `onBytes` is called before their entries are written: bytes without an entry are
   * found again, so nobody needs to wait for it.
   */
  async write({ records, entries, end }: Batch, onBytes: () => void = () => {}): Promise<void> {
    const { dataBytes, indexBytes, lastUs } = this.segment.extent
    const bytes = concatBytes(records.flatMap((record) => (isMarkRecord(record) ? [] : [record.bytes])))
    if (bytes.byteLength > 0) {
      this.#unsynced.data = true
      await this.#files.write(this.#data, bytes, dataBytes)
      if (!records.some(isMarkRecord)) {
        this.#reached = end
        onBytes()
      }
    }
    const index = concatBytes(entries)
    this.#unsynced.index = true
    await this.#files.write(this.#index, index, indexBytes)
    this.segment.extend(
      {
        dataBytes: dataBytes + bytes.byteLength,
        indexBytes: indexBytes + index.byteLength,
        end,
        lastUs: records.at(-1)?.timeUs ?? lastUs,
      },
      records[0]?.timeUs ?? lastUs,
    )
    this.#reached = end
  }

  /** Cuts off what a failed write left behind, but no byte that was shown. */
  async trim(): Promise<void> {
    await this.#files.truncate(this.#data, this.#reached.offset - this.segment.place.start.offset)
    await this.#files.truncate(this.#index, this.segment.extent.indexBytes)
  }

  /** Puts what is new onto the medium, the bytes before the index. */
  async sync(): Promise<void> {
    const { names, data, index } = this.#unsynced
    Object.assign(this.#unsynced, { names: false, data: false, index: false })
    if (data) await this.#files.sync(this.#data)
    if (index) await this.#files.sync(this.#index)
    if (!names) return
    await this.#files.syncFolder(this.segment.place.folder)
    await this.#files.syncFolder(dirname(this.segment.place.folder))
  }

  /** Closes it and leaves nothing of it, as far as the disk lets it: a full one would fill up with names. */
  async discard(): Promise<void> {
    await this.close()
    for (const kind of ["bytes", "index"] as const)
      await this.#files.remove(this.segment.path(kind)).catch(() => {})
  }

  async close(): Promise<void> {
    await this.#files.close(this.#data)
    await this.#files.close(this.#index)
  }
}
