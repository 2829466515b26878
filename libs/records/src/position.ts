import { type Chunk, type Cursor, isMarkRecord, type StreamRecord } from "@serialcast/contract"

/** A place within one epoch. */
export type Position = Pick<Cursor, "offset" | "mark">

/** Negative when `a` comes before `b`. */
export function comparePositions(a: Position, b: Position): number {
  return a.offset - b.offset || a.mark - b.mark
}

/** Where a record starts, marks of an offset coming before its byte. */
export function startOf(record: StreamRecord): Position {
  return { offset: record.offset, mark: isMarkRecord(record) ? record.mark.n : (record.marks ?? 0) }
}

/** Where the next record after this one starts. */
export function endOf(record: StreamRecord): Position {
  if (isMarkRecord(record)) return { offset: record.offset, mark: record.mark.n + 1 }
  if (record.bytes.byteLength === 0) return startOf(record)
  return { offset: record.offset + record.bytes.byteLength, mark: 0 }
}

/** The part of `record` that a reader at `position` has not had; undefined when it has had all. */
export function after(position: Position, record: StreamRecord): StreamRecord | undefined {
  if (isMarkRecord(record)) return comparePositions(startOf(record), position) < 0 ? undefined : record
  const had = position.offset - record.offset
  if (had <= 0) return record
  if (had >= record.bytes.byteLength) return undefined
  return chunkFrom(record, position.offset)
}

/** The part of a chunk from an offset inside it on, with the times of its bytes. */
export function chunkFrom({ offset: start, timeUs, bytes, reads = [] }: Chunk, offset: number): Chunk {
  const rest = { offset, timeUs, bytes: bytes.subarray(offset - start) }
  const later = reads.filter((read) => read.offset > offset)
  const firstUs = reads[reads.length - later.length - 1]?.timeUs ?? timeUs
  return { ...rest, timeUs: firstUs, ...(later.length === 0 ? {} : { reads: later }) }
}

/** What a chunk has up to an offset inside it or at its end: its bytes, and the times of those. */
export function chunkUntil(
  { offset: start, bytes, reads = [] }: Pick<Chunk, "offset" | "bytes" | "reads">,
  offset: number,
): Pick<Chunk, "bytes" | "reads"> {
  const earlier = reads.filter((read) => read.offset < offset)
  return { bytes: bytes.subarray(0, offset - start), ...(earlier.length === 0 ? {} : { reads: earlier }) }
}

/**
 * Whether a reader at `position` misses nothing when it goes on with `record`: a mark must be exactly the next one; a
 * chunk may repeat what the reader had, and come with no more marks before it than the reader had.
 */
export function joins(position: Position, record: StreamRecord): boolean {
  const order = comparePositions(startOf(record), position)
  return isMarkRecord(record) ? order === 0 : order <= 0
}
