/*
 * The format of a segment's index. All numbers are unsigned and big-endian. Entries follow one another:
 *
 *    0  u16  length of the entry, these two bytes included
 *    2  u16  the same with all bits inverted: a write that was cut short is told from damage by it
 *    4  u32  CRC-32 of the rest of the entry
 *    8  u8   kind: "H" header, "B" bytes, "M" mark
 *    9  u56  offset in the stream
 *   16  u64  time, in microseconds since 1970
 *   24  u32  header, mark: number of the mark at that offset;    bytes: how many
 *   28       header, mark: JSON in UTF-8 up to the entry's end;  bytes: u32 CRC-32 of them
 *
 * The first entry is the header. It says where the segment starts, before which mark of which offset. The bytes
 * themselves are in the data file beside the index, at their offset minus the header's.
 */
import { crc32 } from "node:zlib"
import { isMarkRecord, type Mark, parseMark, type StreamName, type StreamRecord } from "@serialcast/contract"
import type { Position } from "@serialcast/device-stream"

/** What the header of each segment says of the journal that it belongs to. */
export interface SegmentHeader {
  readonly format: 1
  readonly epoch: string
  /** When the epoch began, in microseconds since 1970, and later than all epochs before it. */
  readonly createdUs: number
  readonly stream: StreamName
  /** How often the port had been opened when the segment began. */
  readonly opens: number
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

const kinds = { header: 0x48, bytes: 0x42, mark: 0x4d } as const

const lengthBytes = 4
const bodyAt = 8
const tailAt = 28
/** The longest entry that the format has room for. */
export const maxEntryBytes = 0xffff

/** An entry where it lies in memory, as `findEntry` found it. */
export interface RawEntry {
  readonly view: DataView
  readonly at: number
  readonly length: number
}

/** The entry at `at`. `torn`: what is there is the beginning of one. `damaged`: it is none. */
export function findEntry(view: DataView, at: number): RawEntry | "torn" | "damaged" {
  const rest = view.byteLength - at
  if (rest < lengthBytes) return "torn"
  const length = view.getUint16(at)
  if ((length ^ view.getUint16(at + 2)) !== 0xffff || length < tailAt) return "damaged"
  return rest < length ? "torn" : { view, at, length }
}

/** Where the record of an entry ends, without a look at its checksum. */
export function endOfRaw({ view, at }: RawEntry): Position {
  const kind = view.getUint8(at + bodyAt)
  const offset = getUint53(view, at + bodyAt)
  const number = view.getUint32(at + 24)
  if (kind === kinds.bytes) return { offset: offset + number, mark: 0 }
  return { offset, mark: kind === kinds.mark ? number + 1 : number }
}

/** undefined when the entry is not what was written. */
export function decodeEntry({ view, at, length }: RawEntry): IndexEntry | undefined {
  const body = new Uint8Array(view.buffer, view.byteOffset + at + bodyAt, length - bodyAt)
  if (crc32(body) !== view.getUint32(at + 4)) return undefined
  const offset = getUint53(view, at + bodyAt)
  const timeUs = getUint53(view, at + 16)
  const number = view.getUint32(at + 24)
  switch (view.getUint8(at + bodyAt)) {
    case kinds.bytes:
      return { kind: "bytes", offset, timeUs, length: number, checksum: view.getUint32(at + tailAt) }
    case kinds.mark:
      return { kind: "mark", offset, timeUs, mark: parseMark(decodeJson(body)) }
    case kinds.header: {
      // The checksum says that it is what this code wrote.
      const header = decodeJson(body) as SegmentHeader
      return header.format === 1
        ? { kind: "header", start: { offset, mark: number }, timeUs, header }
        : undefined
    }
    default:
      return undefined
  }
}

export function encodeHeader(header: SegmentHeader, start: Position, timeUs: number): Uint8Array {
  return encodeEntry(kinds.header, { offset: start.offset, timeUs, number: start.mark }, encodeJson(header))
}

export function encodeRecord(record: StreamRecord): Uint8Array {
  const { offset, timeUs } = record
  if (isMarkRecord(record)) {
    return encodeEntry(kinds.mark, { offset, timeUs, number: record.mark.n }, encodeJson(record.mark))
  }
  const { bytes } = record
  const checksum = new Uint8Array(4)
  new DataView(checksum.buffer).setUint32(0, crc32(bytes))
  return encodeEntry(kinds.bytes, { offset, timeUs, number: bytes.byteLength }, checksum)
}

interface Fields {
  readonly offset: number
  readonly timeUs: number
  readonly number: number
}

function encodeEntry(kind: number, { offset, timeUs, number }: Fields, tail: Uint8Array): Uint8Array {
  const entry = new Uint8Array(tailAt + tail.byteLength)
  const view = new DataView(entry.buffer)
  view.setUint16(0, entry.byteLength)
  view.setUint16(2, ~entry.byteLength)
  setUint53(view, bodyAt, offset)
  view.setUint8(bodyAt, kind)
  setUint53(view, 16, timeUs)
  view.setUint32(24, number)
  entry.set(tail, tailAt)
  view.setUint32(4, crc32(entry.subarray(bodyAt)))
  return entry
}

/** Of eight bytes; the first is something else's or zero. */
function getUint53(view: DataView, at: number): number {
  return (view.getUint32(at) & 0xff_ffff) * 2 ** 32 + view.getUint32(at + 4)
}

function setUint53(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / 2 ** 32))
  view.setUint32(at + 4, value >>> 0)
}

function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

function decodeJson(body: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(body.subarray(tailAt - bodyAt)))
}
