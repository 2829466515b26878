import { isEpoch, maxMarksAtOffset } from "./cursor.ts"
import { decodeCbor } from "./decode-cbor.ts"
import { encodeCbor } from "./encode-cbor.ts"
import { AppError } from "./errors.ts"
import { type Mark, parseMark } from "./mark.ts"
import type { Parcel } from "./parcel.ts"

/** `rx`: from the device. `tx`: to the device. */
export const streamNames = ["rx", "tx"] as const
export type StreamName = (typeof streamNames)[number]

export function isStreamName(text: unknown): text is StreamName {
  return text === "rx" || text === "tx"
}

/** When bytes were read: those from `offset` on, in microseconds since 1970. */
export interface ReadTime {
  readonly offset: number
  readonly timeUs: number
}

/** Consecutive bytes of a stream. An empty one announces the stream's head. */
export interface Chunk {
  readonly offset: number
  /** Microseconds since 1970 at which the first byte was read. */
  readonly timeUs: number
  readonly bytes: Uint8Array
  /** Bytes that were read later than the first ones, in order. Absent: all were read at once. */
  readonly reads?: readonly ReadTime[]
  /** How many marks stand at `offset`, before the first byte: a reader that had fewer lost some. Absent: none. */
  readonly marks?: number
}

/** Something that happened before the byte at `offset`. */
export interface MarkRecord {
  readonly offset: number
  readonly timeUs: number
  readonly mark: Mark
}

/** One entry of a stream, in reading order. */
export type StreamRecord = Chunk | MarkRecord

export function isMarkRecord(record: StreamRecord): record is MarkRecord {
  return "mark" in record
}

/** A record with the stream that it belongs to: the payload of the `stream` topic. */
export interface StreamMessage {
  readonly epoch: string
  readonly stream: StreamName
  readonly record: StreamRecord
}

/**
 * CBOR map `{e, s, o, t, b, n?, r?}` for a chunk, `{e, s, o, t, m}` for a mark. `n` is the chunk's `marks`, `r` its `reads`:
 * for each of them, how many bytes and microseconds it is behind the one before, one number after the other.
 */
export function encodeStreamMessage({ epoch, stream, record }: StreamMessage): Uint8Array {
  return encodeCbor({ e: epoch, s: stream, ...recordToWire(record) })
}

/** A stream message for the services of this process as it is, and for others encoded. */
export class StreamParcel implements Parcel {
  readonly message: StreamMessage

  /** Nothing in `message` may change afterwards. */
  constructor(message: StreamMessage) {
    this.message = message
  }

  encode(): Uint8Array {
    return encodeStreamMessage(this.message)
  }
}

/** Throws `bad_message` unless `payload` has the fields that `encodeStreamMessage` gives; more are ignored. */
export function decodeStreamMessage(payload: Uint8Array): StreamMessage {
  const wire = decodeCbor(payload)
  if (!isObject(wire)) throw malformed("a map")
  const { e: epoch, s: stream } = wire
  if (typeof epoch !== "string" || !isEpoch(epoch)) throw malformed("`e` as 16 lower-case hex digits")
  if (!isStreamName(stream)) throw malformed("`s` as rx or tx")
  return { epoch, stream, record: recordFromWire(wire) }
}

export function recordToWire(record: StreamRecord): Record<string, unknown> {
  const place = { o: record.offset, t: record.timeUs }
  if (isMarkRecord(record)) return { ...place, m: record.mark }
  const { bytes, marks = 0 } = record
  return { ...place, b: bytes, n: marks === 0 ? undefined : marks, r: readsToWire(record) }
}

function readsToWire({ offset, timeUs, reads }: Chunk): number[] | undefined {
  if (reads === undefined) return undefined
  let before: ReadTime = { offset, timeUs }
  return reads.flatMap((read) => {
    const steps = [read.offset - before.offset, read.timeUs - before.timeUs]
    before = read
    return steps
  })
}

/** Throws `bad_message`. */
function readsFromWire(wire: unknown, { offset, timeUs, bytes }: Chunk): ReadTime[] {
  if (!Array.isArray(wire) || wire.length % 2 !== 0) throw malformed("`r` as pairs of numbers")
  const reads: ReadTime[] = []
  let before: ReadTime = { offset, timeUs }
  for (let at = 0; at < wire.length; at += 2) {
    const read = { offset: before.offset + Number(wire[at]), timeUs: before.timeUs + Number(wire[at + 1]) }
    const isInside = read.offset > before.offset && read.offset < offset + bytes.byteLength
    if (!isUnsigned(read.offset) || !isUnsigned(read.timeUs) || !isInside)
      throw malformed("`r` as places inside the bytes, and times")
    reads.push(read)
    before = read
  }
  return reads
}

/** Throws `bad_message`. */
export function recordFromWire(wire: unknown): StreamRecord {
  if (!isObject(wire)) throw malformed("a record map")
  const { o: offset, t: timeUs, b: bytes, m: mark, n: marks = 0, r: reads } = wire
  if (!isUnsigned(offset)) throw malformed("`o` as an unsigned integer below 2^53")
  if (!isUnsigned(timeUs)) throw malformed("`t` as an unsigned integer below 2^53")
  if (mark !== undefined) return { offset, timeUs, mark: parseMark(mark) }
  if (!(bytes instanceof Uint8Array)) throw malformed("`b` as a byte string, or `m` as a mark")
  if (!isUnsigned(offset + bytes.byteLength)) throw malformed("bytes that end below offset 2^53")
  if (!isUnsigned(marks) || marks > maxMarksAtOffset) throw malformed("`n` as a count of marks")
  const chunk: Chunk = marks === 0 ? { offset, timeUs, bytes } : { offset, timeUs, bytes, marks }
  return reads === undefined ? chunk : { ...chunk, reads: readsFromWire(reads, chunk) }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function isUnsigned(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function malformed(expected: string): AppError {
  return new AppError("bad_message", `A stream message needs ${expected}.`)
}
