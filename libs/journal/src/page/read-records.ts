import { crc32 } from "node:zlib"
import { comparePositions, type Position, RecordRing } from "@serialcast/records"
import type { Files } from "../disk/files.ts"
import { readAround } from "../disk/read-around.ts"
import type { EntryReader } from "../format/entry-reader.ts"
import { endOfEntry, type RecordEntry } from "../format/index-entry.ts"
import { type IndexRange, walkIndex } from "../format/walk-index.ts"

// What a mark takes of a page at least.
export const markCostBytes = 160

/** Consecutive entries of an index. */
export interface FoundEntries {
  readonly start: Position
  readonly entries: readonly RecordEntry[]
  /** Behind them, in the stream. */
  readonly next: Position
  /** The last restart on the way, from which a walk can go on. */
  readonly restart: { readonly at: number; readonly position: Position }
  /** Something before them, or behind them, is not what was written. */
  readonly isDamaged: boolean
  /** Nothing that can be read follows. */
  readonly isEnd: boolean
}

export interface Wanted {
  /** Where `range.from`, which is a restart, is in the stream. */
  readonly position: Position
  readonly from: Position
  readonly maxBytes: number
  readonly reader: EntryReader
}

/** The entries of a page: those that end after `from`, until they make up `maxBytes` or something is missing. */
export async function collectEntries(files: Files, range: IndexRange, wanted: Wanted): Promise<FoundEntries> {
  const { from, maxBytes, reader } = wanted
  const entries: RecordEntry[] = []
  let { position } = wanted
  let start = position
  let restart = { at: range.from, position }
  let costBytes = 0
  const { isDamaged, why } = await walkIndex(files, range, {
    isRestart: (frame) => reader.isRestart(frame),
    visit(frame, frameAt) {
      if (costBytes >= maxBytes) return "stopped"
      const step = reader.step(frame, position)
      if (step === undefined) return "damaged"
      const { entry, end } = step
      if (reader.isRestart(frame))
        restart = { at: frameAt, position: entry.kind === "block" ? end : position }
      if (entry.kind === "bytes" || entry.kind === "mark") {
        const own = startOfEntry(entry, position)
        // Behind damage: what was found before it is a page of its own.
        if (comparePositions(own, position) !== 0 && entries.length > 0) return "stopped"
        if (entries.length > 0 || comparePositions(end, from) > 0) {
          if (entries.length === 0) start = own
          entries.push(entry)
          costBytes +=
            entry.kind === "mark" ? markCostBytes : end.offset - Math.max(from.offset, entry.offset)
        }
      } else if (entry.kind === "block" && comparePositions(end, position) !== 0 && entries.length > 0) {
        return "stopped"
      }
      position = end
      return "on"
    },
  })
  return { start, entries, next: position, restart, isDamaged, isEnd: why !== "stopped" }
}

/** Marks have their number, and bytes come after all marks at their offset. */
function startOfEntry(entry: RecordEntry, position: Position): Position {
  if (entry.kind === "mark") return { offset: entry.offset, mark: entry.mark.n }
  return { offset: entry.offset, mark: entry.offset === position.offset ? position.mark : 0 }
}

export interface DataFile {
  readonly file: number
  /** In the stream, of the file's first byte. */
  readonly firstOffset: number
}

export interface ReadRecords {
  readonly records: RecordRing
  readonly isDamaged: boolean
}

/** The records of `entries`, from the first one on whose bytes are what was written, up to one whose are not. */
export async function readRecords(
  files: Files,
  { file, firstOffset }: DataFile,
  { start, next, entries }: FoundEntries,
): Promise<ReadRecords> {
  const bytes = new Uint8Array(Math.max(0, next.offset - start.offset))
  const got = await readAround(files, file, bytes, start.offset - firstOffset)
  let records = RecordRing.over(bytes, start)
  let isDamaged = false
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
      continue
    }
    isDamaged = true
    if (comparePositions(records.head, records.start) > 0) break
    records = RecordRing.over(bytes.subarray(at + entry.length), endOfEntry(entry, start))
  }
  return { records, isDamaged }
}
