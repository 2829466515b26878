/*
 * An index is a row of frames. All numbers are unsigned and big-endian:
 *
 *    0  u16  length of the frame, these two bytes included
 *    2  u16  the same with all bits inverted: a write that was cut short is told from damage by it
 *    4  u32  CRC-32 of the rest of the frame
 *    8  u8   kind
 *    9       what the kind says
 */
import { crc32 } from "node:zlib"
import type { ByteWriter } from "./byte-writer.ts"

const lengthBytes = 4
export const kindAt = 8
const minFrameBytes = 9
/** The longest frame that the format has room for. */
export const maxFrameBytes = 0xffff

/** A frame where it lies in memory. */
export interface Frame {
  readonly view: DataView
  readonly at: number
  readonly length: number
}

/** The frame at `at`. `torn`: what is there is the beginning of one. `damaged`: it is none. */
export function findFrame(view: DataView, at: number): Frame | "torn" | "damaged" {
  const rest = view.byteLength - at
  if (rest < lengthBytes) return "torn"
  const length = view.getUint16(at)
  if ((length ^ view.getUint16(at + 2)) !== 0xffff || length < minFrameBytes) return "damaged"
  return rest < length ? "torn" : { view, at, length }
}

export function kindOf({ view, at }: Frame): number {
  return view.getUint8(at + kindAt)
}

/** Whether the frame is what was written. */
export function isIntact({ view, at, length }: Frame): boolean {
  const body = new Uint8Array(view.buffer, view.byteOffset + at + kindAt, length - kindAt)
  return crc32(body) === view.getUint32(at + lengthBytes)
}

/** Puts a frame of `kind` behind what `into` has; `writeRest` writes what stands behind the kind. */
export function writeFrame(into: ByteWriter, kind: number, writeRest: (into: ByteWriter) => void): void {
  const at = into.length
  into.u32(0)
  into.u32(0)
  into.u8(kind)
  writeRest(into)
  const length = into.length - at
  if (length > maxFrameBytes)
    throw new RangeError(`A frame of ${length} bytes is longer than ${maxFrameBytes}.`)
  into.setU16(at, length)
  into.setU16(at + 2, ~length & 0xffff)
  into.setU32(at + lengthBytes, crc32(into.view(at + kindAt)))
}
