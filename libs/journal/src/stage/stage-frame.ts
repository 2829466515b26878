/*
 * A record in a stage. All numbers are big-endian:
 *
 *    0  u32  length of what follows the checksum
 *    4  u32  CRC-32 of it
 *    8  u8   "b" bytes, "m" mark
 *    9  f64  offset in the stream
 *   17  f64  time, in microseconds since 1970
 *   25  u32  mark: its number at that offset; bytes: 0
 *   29       the bytes; mark: JSON of it in UTF-8
 */
import { crc32 } from "node:zlib"
import { isMarkRecord, type StreamRecord } from "@serialcast/contract"
import { parseMarkText } from "../format/mark-text.ts"

const bodyAt = 8
const contentAt = 29
const kinds = { bytes: 0x62, mark: 0x6d } as const
// More than any record has: chunks are cut at 16 KiB, and texts of marks are cut long before.
const maxContentBytes = 64 * 1024

const utf8 = { encoder: new TextEncoder(), decoder: new TextDecoder() }

/** Encodes one record after the other, in memory of its own. */
export class StageFrameWriter {
  readonly #bytes = new Uint8Array(contentAt + maxContentBytes)
  readonly #view = new DataView(this.#bytes.buffer)

  /** A view, gone with the next call; undefined when the record is longer than a frame. */
  encode(record: StreamRecord): Uint8Array | undefined {
    const isMark = isMarkRecord(record)
    const content = isMark ? utf8.encoder.encode(JSON.stringify(record.mark)) : record.bytes
    if (content.byteLength > maxContentBytes) return undefined
    const end = contentAt + content.byteLength
    this.#view.setUint32(0, end - bodyAt)
    this.#view.setUint8(bodyAt, isMark ? kinds.mark : kinds.bytes)
    this.#view.setFloat64(bodyAt + 1, record.offset)
    this.#view.setFloat64(bodyAt + 9, record.timeUs)
    this.#view.setUint32(bodyAt + 17, isMark ? record.mark.n : 0)
    this.#bytes.set(content, contentAt)
    this.#view.setUint32(4, crc32(this.#bytes.subarray(bodyAt, end)))
    return this.#bytes.subarray(0, end)
  }
}

/** A record, and where its frame ends. */
export interface StagedRecord {
  readonly record: StreamRecord
  readonly end: number
}

/** The record at `at`; undefined when what is there is not a whole frame that was written so. */
export function readStageFrame(bytes: Uint8Array, at: number): StagedRecord | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (at + contentAt > bytes.byteLength) return undefined
  const end = at + bodyAt + view.getUint32(at)
  if (end < at + contentAt || end > bytes.byteLength) return undefined
  if (crc32(bytes.subarray(at + bodyAt, end)) !== view.getUint32(at + 4)) return undefined
  const offset = view.getFloat64(at + bodyAt + 1)
  const timeUs = view.getFloat64(at + bodyAt + 9)
  const content = bytes.subarray(at + contentAt, end)
  switch (view.getUint8(at + bodyAt)) {
    case kinds.bytes:
      return { record: { offset, timeUs, bytes: content.slice() }, end }
    case kinds.mark: {
      const mark = parseMarkText(view.getUint32(at + bodyAt + 17), utf8.decoder.decode(content))
      return { record: { offset, timeUs, mark }, end }
    }
    default:
      return undefined
  }
}
