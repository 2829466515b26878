import { dirname } from "node:path"
import { isMarkRecord } from "@serialcast/contract"
import { concatBytes } from "@serialcast/primitives"
import { EntryWriter } from "../format/entry-writer.ts"
import type { SegmentHeader } from "../format/index-entry.ts"
import type { Segment, SegmentExtent } from "../shelf/segment.ts"
import type { Batch } from "../stream/stream-state.ts"
import type { Files } from "./files.ts"

/** The segment that a stream grows in, with its files open. */
export class SegmentWriter {
  readonly segment: Segment
  readonly #files: Files
  readonly #data: number
  readonly #index: number
  readonly #entries: EntryWriter
  /** What the medium may lack. */
  readonly #unsynced = { names: false, data: false, index: false }
  #extent: SegmentExtent

  private constructor(
    files: Files,
    segment: Segment,
    extent: SegmentExtent,
    [data, index]: readonly [number, number],
  ) {
    this.#files = files
    this.segment = segment
    this.#extent = extent
    this.#data = data
    this.#index = index
    this.#entries = new EntryWriter(segment.start, { indexBytes: extent.indexBytes, position: extent.end })
  }

  get extent(): SegmentExtent {
    return this.#extent
  }

  /** Begins a segment; what a failed attempt left under its name is overwritten. */
  static async create(
    files: Files,
    segment: Segment,
    { header, timeUs }: { readonly header: SegmentHeader; readonly timeUs: number },
  ): Promise<SegmentWriter> {
    const { place } = segment
    await files.makeFolder(place.folder)
    const nothing = { dataBytes: 0, indexBytes: 0, end: place.start, lastUs: timeUs }
    const writer = await SegmentWriter.#open(files, segment, nothing, "w+")
    try {
      await writer.#begin(header, timeUs)
    } catch (error) {
      await writer.discard()
      throw error
    }
    return writer
  }

  /** Goes on with a segment of an earlier process, whose files go up to `extent` or further. */
  static async resume(files: Files, segment: Segment, extent: SegmentExtent): Promise<SegmentWriter> {
    const writer = await SegmentWriter.#open(files, segment, extent, "r+")
    try {
      // What is behind it is nobody's: it was not shown, or somebody else put it there.
      await writer.trim()
    } catch (error) {
      await writer.close()
      throw error
    }
    return writer
  }

  static async #open(
    files: Files,
    segment: Segment,
    extent: SegmentExtent,
    flags: "r+" | "w+",
  ): Promise<SegmentWriter> {
    const data = await files.open(segment.path("bytes"), flags)
    try {
      return new SegmentWriter(files, segment, extent, [data, await files.open(segment.path("index"), flags)])
    } catch (error) {
      await files.close(data)
      throw error
    }
  }

  /**
   * Resolves when the kernel has all of it, and the segment has grown by it. The bytes go first, so that an index never
   * speaks of bytes that are not there; bytes that it does not speak of were not shown.
   */
  async write({ records, to }: Batch): Promise<void> {
    const { dataBytes, indexBytes, lastUs } = this.#extent
    const bytes = concatBytes(records.flatMap((record) => (isMarkRecord(record) ? [] : [record.bytes])))
    if (bytes.byteLength > 0) {
      this.#unsynced.data = true
      await this.#files.write(this.#data, bytes, dataBytes)
    }
    for (const record of records) this.#entries.add(record)
    const index = this.#entries.take()
    this.#unsynced.index = true
    await this.#files.write(this.#index, index.bytes, indexBytes)
    this.#extent = {
      dataBytes: dataBytes + bytes.byteLength,
      indexBytes: indexBytes + index.bytes.byteLength,
      end: to,
      lastUs: records.at(-1)?.timeUs ?? lastUs,
    }
    this.segment.extend(this.#extent, index.blocks)
  }

  /** Cuts off what a failed write left behind. */
  async trim(): Promise<void> {
    await this.#files.truncate(this.#data, this.#extent.dataBytes)
    await this.#files.truncate(this.#index, this.#extent.indexBytes)
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
    for (const kind of ["index", "bytes"] as const)
      await this.#files.remove(this.segment.path(kind)).catch(() => {})
  }

  async close(): Promise<void> {
    await this.#files.close(this.#data)
    await this.#files.close(this.#index)
  }

  async #begin(header: SegmentHeader, timeUs: number): Promise<void> {
    this.#entries.header(header, timeUs)
    const { bytes } = this.#entries.take()
    await this.#files.write(this.#index, bytes, 0)
    this.#extent = { ...this.#extent, indexBytes: bytes.byteLength }
    this.segment.extend(this.#extent, [])
    Object.assign(this.#unsynced, { names: true, index: true })
  }
}
