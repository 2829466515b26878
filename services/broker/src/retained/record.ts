/*
 * A file of retained messages is a line that names the format, and a row of records. Numbers are unsigned and big-endian:
 *
 *    0  u32  length of the record from 8 on
 *    4  u32  CRC-32 of the length and of all from 8 on
 *    8  u8   QoS
 *    9  u16  length of the topic
 *   11       the topic in UTF-8, and then the payload; without one the topic holds nothing any more
 *
 * The last record of a topic holds.
 */
import { crc32 } from "node:zlib"
import type { KeptMessage } from "../rules/kept-form.ts"

export const fileHead = new TextEncoder().encode("serialcast retained 1\n")

const headBytes = 8
const minBodyBytes = 3
// A topic has at most 64 KiB, and a packet of a client 256 KiB, in which a will and its topic are too.
const maxBodyBytes = 512 * 1024

export interface KeptRecord {
  readonly topic: string
  /** undefined: the topic holds nothing. */
  readonly message: KeptMessage | undefined
}

export function encodeRecord({ topic, message }: KeptRecord): Uint8Array {
  const name = new TextEncoder().encode(topic)
  const payload = message?.payload ?? new Uint8Array(0)
  const bytes = new Uint8Array(headBytes + minBodyBytes + name.byteLength + payload.byteLength)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, bytes.byteLength - headBytes)
  view.setUint8(headBytes, message?.qos ?? 0)
  view.setUint16(headBytes + 1, name.byteLength)
  bytes.set(name, headBytes + minBodyBytes)
  bytes.set(payload, headBytes + minBodyBytes + name.byteLength)
  view.setUint32(4, checksum(bytes))
  return bytes
}

export interface ReadRecords {
  readonly records: readonly KeptRecord[]
  /** `torn`: the last write did not get whole to the disk, as when the power fails. `damaged`: it is not what was written. */
  readonly end: "whole" | "torn" | "damaged"
  /** What stands behind the last good record, in bytes. */
  readonly restBytes: number
}

/** Reads a file up to its end, or to the first record that is not what was written. */
export function readRecords(bytes: Uint8Array): ReadRecords {
  const records: KeptRecord[] = []
  let at = hasHead(bytes) ? fileHead.byteLength : 0
  while (at > 0 && at < bytes.byteLength) {
    const found = findRecord(bytes.subarray(at))
    if (found === undefined) break
    records.push(decodeBody(found.subarray(headBytes)))
    at += found.byteLength
  }
  const rest = bytes.subarray(at)
  if (at > 0 && rest.byteLength === 0) return { records, end: "whole", restBytes: 0 }
  const isTorn = at > 0 ? isCutShort(rest) : isBeginOf(bytes, fileHead)
  return { records, end: isTorn ? "torn" : "damaged", restBytes: rest.byteLength }
}

/** The record at the beginning of `bytes`; undefined: there is no good one. */
function findRecord(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.byteLength < headBytes + minBodyBytes) return undefined
  const view = viewOf(bytes)
  const length = view.getUint32(0)
  if (length < minBodyBytes || length > maxBodyBytes || bytes.byteLength < headBytes + length)
    return undefined
  const record = bytes.subarray(0, headBytes + length)
  const isNameWithin = view.getUint16(headBytes + 1) <= length - minBodyBytes
  return isNameWithin && checksum(record) === view.getUint32(4) ? record : undefined
}

function decodeBody(body: Uint8Array): KeptRecord {
  const view = viewOf(body)
  const payloadAt = minBodyBytes + view.getUint16(1)
  const topic = new TextDecoder().decode(body.subarray(minBodyBytes, payloadAt))
  // A copy: what is kept of a file must not hold all of it in memory.
  const payload = body.slice(payloadAt)
  const qos = view.getUint8(0)
  return {
    topic,
    message: payload.byteLength === 0 ? undefined : { qos: qos === 1 || qos === 2 ? qos : 0, payload },
  }
}

/** Whether `rest` may be the beginning of a write, or the room for one that the disk never got. */
function isCutShort(rest: Uint8Array): boolean {
  if (rest.every((byte) => byte === 0)) return true
  if (rest.byteLength < headBytes) return true
  const length = viewOf(rest).getUint32(0)
  return length >= minBodyBytes && length <= maxBodyBytes && headBytes + length > rest.byteLength
}

function hasHead(bytes: Uint8Array): boolean {
  return (
    bytes.byteLength >= fileHead.byteLength && isBeginOf(bytes.subarray(0, fileHead.byteLength), fileHead)
  )
}

function isBeginOf(bytes: Uint8Array, whole: Uint8Array): boolean {
  return bytes.every((byte, at) => byte === (whole[at] ?? -1))
}

function checksum(record: Uint8Array): number {
  return crc32(record.subarray(headBytes), crc32(record.subarray(0, 4)))
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
