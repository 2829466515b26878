import { crc32 } from "node:zlib"
import { comparePositions, type Position, RecordRing } from "@serialcast/device-stream"
import type { Files } from "./files.ts"
import { decodeEntry, endOfRaw, type IndexEntry } from "./index-entry.ts"
import { type IndexRange, walkIndex } from "./walk-index.ts"

// What a mark takes of a page at least, as RecordRing counts it.
const markCostBytes = 160

export type RecordEntry = Exclude<IndexEntry, { kind: "header" }>

/** Consecutive entries of an index. */
export interface FoundEntries {
  readonly start: Position
  readonly entries: readonly RecordEntry[]
  /** Behind them, in the stream and in the index. */
  readonly next: Position
  readonly nextAt: number
}

export interface Wanted {
  /** Where `range.from` is in the stream. */
  readonly position: Position
  readonly from: Position
  readonly maxBytes: number
}

export function endOfEntry(entry: IndexEntry): Position {
  switch (entry.kind) {
    case "header":
      return entry.start
    case "bytes":
      return { offset: entry.offset + entry.length, mark: 0 }
    case "mark":
      return { offset: entry.offset, mark: entry.mark.n + 1 }
  }
}

/** The entries of a page: those that end after `from`, until they make up `maxBytes`. */
export async function collectEntries(
  files: Files,
  range: IndexRange,
  { position, from, maxBytes }: Wanted,
): Promise<FoundEntries> {
  const entries: RecordEntry[] = []
  let start = position
  let next = position
  let costBytes = 0
  const end = await walkIndex(files, range, (raw) => {
    if (costBytes >= maxBytes) return "stopped"
    const after = endOfRaw(raw)
    if (entries.length > 0 || comparePositions(after, from) > 0) {
      const entry = decodeEntry(raw)
      if (entry === undefined || entry.kind === "header") return "damaged"
      if (entries.length === 0) start = next
      entries.push(entry)
      costBytes += entry.kind === "mark" ? markCostBytes : after.offset - Math.max(from.offset, entry.offset)
    }
    next = after
    return "on"
  })
  return { start, entries, next, nextAt: end.at }
}

export interface DataFile {
  readonly file: number
  /** In the stream, of the file's first byte. */
  readonly firstOffset: number
}

/** The records of `entries`, from the first one on whose bytes are what was written, up to one whose are not. */
export async function readRecords(
  files: Files,
  { file, firstOffset }: DataFile,
  { start, next, entries }: FoundEntries,
): Promise<RecordRing> {
  const bytes = new Uint8Array(next.offset - start.offset)
  const got = await files.read(file, bytes, start.offset - firstOffset)
  let records = new RecordRing(Number.POSITIVE_INFINITY, start)
  for (const entry of entries) {
    const { offset, timeUs } = entry
    if (entry.kind === "mark") {
      records.append({ offset, timeUs, mark: entry.mark })
      continue
    }
    const at = offset - start.offset
    const chunk = bytes.subarray(at, at + entry.length)
    if (at + entry.length <= got && crc32(chunk) === entry.checksum) {
      records.append({ offset, timeUs, bytes: chunk })
    } else if (comparePositions(records.head, records.start) > 0) {
      break
    } else {
      records = new RecordRing(Number.POSITIVE_INFINITY, endOfEntry(entry))
    }
  }
  return records
}
