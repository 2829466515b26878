/*
 * The entries of format 1, which are read and not written any more. Each has its place and time in full:
 *
 *    8  u8   "B" bytes, "M" mark
 *    9  u56  offset in the stream
 *   16  u64  time, in microseconds since 1970
 *   24  u32  bytes: how many; mark: its number at that offset
 *   28       bytes: u32 CRC-32 of them; mark: JSON in UTF-8 up to the entry's end
 */
import type { Position } from "@serialcast/records"
import { ByteReader } from "./byte-reader.ts"
import { type Frame, kindAt, kindOf } from "./frame.ts"
import type { RecordEntry } from "./index-entry.ts"
import { parseMarkText } from "./mark-text.ts"

const kinds = { bytes: 0x42, mark: 0x4d } as const

export function isFirstFormat(frame: Frame): boolean {
  const kind = kindOf(frame)
  return kind === kinds.bytes || kind === kinds.mark
}

/** Throws `RangeError` when the frame is too short. */
export function endOfFirstFormat(frame: Frame): Position {
  const { offset, number } = fieldsOf(frame)
  return kindOf(frame) === kinds.bytes ? { offset: offset + number, mark: 0 } : { offset, mark: number + 1 }
}

/** Throws `RangeError` when the frame is too short. */
export function readFirstFormat(frame: Frame): RecordEntry {
  const { offset, timeUs, number, rest } = fieldsOf(frame)
  return kindOf(frame) === kinds.bytes
    ? { kind: "bytes", offset, timeUs, length: number, checksum: rest.u32() }
    : { kind: "mark", offset, timeUs, mark: parseMarkText(number, rest.text()) }
}

function fieldsOf({ view, at, length }: Frame) {
  const rest = new ByteReader(view, at + kindAt + 1, at + length)
  const offset = rest.u56()
  rest.u8()
  const timeUs = rest.u56()
  const number = rest.u32()
  return { offset, timeUs, number, rest }
}
