import { crc32 } from "node:zlib"
import { comparePositions, type Position } from "@serialcast/device-stream"
import type { Files } from "./files.ts"
import type { IndexEntry } from "./index-entry.ts"
import { endOfEntry } from "./read-records.ts"
import type { Segment, SegmentExtent } from "./segment.ts"

/** What the last segment of a stream is like after the process that wrote it ended. */
export interface Tail {
  /** Up to the last record that is as it was written. */
  readonly extent: SegmentExtent
  /** An entry is not what was written, or its bytes are not: records that were shown may be missing. */
  readonly isDamaged: boolean
  /** Bytes behind it that were read but never shown: the process ended before it wrote their index. */
  readonly extra: Uint8Array
  /** When the last bytes were written, in microseconds since 1970. */
  readonly modifiedUs: number
  /** The highest count of openings that it tells; 0: none. */
  readonly opens: number
}

/** Checks every entry of a segment and the bytes that it speaks of; the segment has its checkpoints then. */
export async function verifyTail(files: Files, segment: Segment): Promise<Tail> {
  const { data, modifiedUs } = await readData(files, segment.path("bytes"))
  let extent: SegmentExtent = { dataBytes: 0, indexBytes: 0, end: segment.start, lastUs: segment.firstUs }
  let opens = 0
  const index = await files.open(segment.path("index"), "r")
  try {
    const { why } = await segment.scan(index, ({ entry, position, indexEnd }) => {
      const dataEnd = endOfEntry(entry).offset - segment.start.offset
      const bytes = data.subarray(extent.dataBytes, dataEnd)
      if (comparePositions(startOfEntry(entry, position), position) !== 0) return "damaged"
      if (entry.kind === "bytes" && (dataEnd > data.byteLength || crc32(bytes) !== entry.checksum))
        return "damaged"
      if (entry.kind === "header") opens = entry.header.opens
      if (entry.kind === "mark" && entry.mark.kind === "opened") opens = entry.mark.open
      extent = { dataBytes: dataEnd, indexBytes: indexEnd, end: endOfEntry(entry), lastUs: entry.timeUs }
      return "on"
    })
    const extra = data.subarray(extent.dataBytes)
    return { extent, isDamaged: why === "damaged", extra, modifiedUs, opens }
  } finally {
    await files.close(index)
  }
}

/** Bytes come after all marks at their offset, a header anywhere. */
function startOfEntry(entry: IndexEntry, position: Position): Position {
  switch (entry.kind) {
    case "header":
      return entry.start
    case "bytes":
      return { offset: entry.offset, mark: position.mark }
    case "mark":
      return { offset: entry.offset, mark: entry.mark.n }
  }
}

async function readData(files: Files, path: string): Promise<{ data: Uint8Array; modifiedUs: number }> {
  const file = await files.open(path, "r")
  try {
    const { sizeBytes, modifiedUs } = await files.status(file)
    const data = new Uint8Array(sizeBytes)
    const got = await files.read(file, data, 0)
    return { data: data.subarray(0, got), modifiedUs }
  } finally {
    await files.close(file)
  }
}
