import type { Mark, StreamName } from "@serialcast/contract"
import type { Position } from "@serialcast/records"

/** What the header of each segment says of the journal that it belongs to. */
export interface SegmentHeader {
  /** 1 was written up to version 0.1.0, and is still read. */
  readonly format: 1 | 2
  readonly epoch: string
  /** When the epoch began, in microseconds since 1970, and later than all epochs before it. */
  readonly createdUs: number
  readonly stream: StreamName
  /** How often the port had been opened when the segment began. */
  readonly opens: number
  /** Of the system that ran when the segment began; null or absent: not known. */
  readonly bootId?: string | null
  /** The wall clock was set by so much just before, so all earlier stamps of this boot are wrong by it; absent: it was not. */
  readonly stepUs?: number
}

export type IndexEntry =
  | {
      readonly kind: "header"
      readonly start: Position
      readonly timeUs: number
      readonly header: SegmentHeader
    }
  | {
      readonly kind: "bytes"
      readonly offset: number
      readonly timeUs: number
      readonly length: number
      /** CRC-32 of the bytes. */
      readonly checksum: number
    }
  | { readonly kind: "mark"; readonly offset: number; readonly timeUs: number; readonly mark: Mark }
  /** Begins a block: nothing before it is needed to read what follows. */
  | { readonly kind: "block"; readonly start: Position; readonly timeUs: number }
  /** Something that other entries refer to. */
  | { readonly kind: "aside" }

export type RecordEntry = Extract<IndexEntry, { kind: "bytes" | "mark" }>

/** Where the next entry's record is, when the one before `entry` ends at `position`. */
export function endOfEntry(entry: IndexEntry, position: Position): Position {
  switch (entry.kind) {
    case "header":
    case "block":
      return entry.start
    case "bytes":
      return entry.length === 0 ? position : { offset: entry.offset + entry.length, mark: 0 }
    case "mark":
      return { offset: entry.offset, mark: entry.mark.n + 1 }
    case "aside":
      return position
  }
}
