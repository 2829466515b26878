/*
 * The first frame of every index, the same in all formats:
 *
 *    8  u8   "H"
 *    9  u56  offset at which the segment starts
 *   16  u64  time, in microseconds since 1970
 *   24  u32  number of the mark at that offset
 *   28       JSON in UTF-8 up to the frame's end: SegmentHeader
 */
import { isEpoch, isStreamName } from "@serialcast/contract"
import { ByteReader } from "./byte-reader.ts"
import type { ByteWriter } from "./byte-writer.ts"
import { type Frame, isIntact, kindAt, kindOf, writeFrame } from "./frame.ts"
import type { IndexEntry, SegmentHeader } from "./index-entry.ts"

const headerKind = 0x48

export type HeaderEntry = Extract<IndexEntry, { kind: "header" }>

export function isHeader(frame: Frame): boolean {
  return kindOf(frame) === headerKind
}

export function writeHeader(
  into: ByteWriter,
  { header, start, timeUs }: Pick<HeaderEntry, "header" | "start" | "timeUs">,
): void {
  writeFrame(into, headerKind, () => {
    into.u56(start.offset)
    into.u8(0)
    into.u56(timeUs)
    into.u32(start.mark)
    into.text(JSON.stringify(header))
  })
}

/** undefined when the frame is not what was written, or of a version that this one does not know. */
export function readHeader(frame: Frame): HeaderEntry | undefined {
  if (!isHeader(frame) || !isIntact(frame)) return undefined
  try {
    const reader = new ByteReader(frame.view, frame.at + kindAt + 1, frame.at + frame.length)
    const offset = reader.u56()
    reader.u8()
    const timeUs = reader.u56()
    const mark = reader.u32()
    const header = JSON.parse(reader.text()) as unknown
    return isSegmentHeader(header) ? { kind: "header", start: { offset, mark }, timeUs, header } : undefined
  } catch {
    // The checksum is right, so it was written so: by a version that this one does not know.
    return undefined
  }
}

function isSegmentHeader(value: unknown): value is SegmentHeader {
  if (typeof value !== "object" || value === null) return false
  const { format, epoch, createdUs, stream, opens } = value as Record<string, unknown>
  if (format !== 1 && format !== 2) return false
  if (typeof epoch !== "string" || !isEpoch(epoch) || !isStreamName(stream)) return false
  return Number.isSafeInteger(createdUs) && Number.isSafeInteger(opens)
}
