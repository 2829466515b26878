import { isStreamName, type StreamName } from "@serialcast/contract"
import type { Position } from "@serialcast/records"

// The largest safe integer has 16 digits: names sort as offsets do, so that `cat rx-*.bytes` is the stream.
const offsetDigits = 16
const namePattern = /^(rx|tx)-(\d{16})(?:\.(\d{1,9}))?$/

/** `rx-0000000000000042`; where other segments start at the same offset, with the number of the next mark behind. */
export function formatSegmentName(stream: StreamName, { offset, mark }: Position): string {
  const name = `${stream}-${String(offset).padStart(offsetDigits, "0")}`
  return mark === 0 ? name : `${name}.${mark}`
}

/** undefined when `name` is not a segment's. */
export function parseSegmentName(name: string): { stream: StreamName; start: Position } | undefined {
  const [, stream, offset, mark = "0"] = namePattern.exec(name) ?? []
  if (!isStreamName(stream) || !Number.isSafeInteger(Number(offset))) return undefined
  return { stream, start: { offset: Number(offset), mark: Number(mark) } }
}
