import { AppError } from "./errors.ts"

/** Deeper than any message of the contract, which ends at page, records, record, mark. */
const maxDepth = 16

const byteString = 2
const textString = 3
const array = 4
const map = 5
const tag = 6
const simple = 7

/**
 * Throws `bad_message` unless `payload` is one item of the profile: RFC 8949, untagged, definite lengths. To be called
 * before decoding, because decoders trust what they read: a few bytes of nested array heads make them allocate
 * gigabytes, and some tags make them construct classes.
 */
export function checkCborProfile(payload: Uint8Array): void {
  const end = skipItem(payload, 0, 0)
  if (end < payload.byteLength) throw malformed(`${payload.byteLength - end} bytes follow it`)
}

/** Where the item after the one at `start` begins. */
function skipItem(payload: Uint8Array, start: number, depth: number): number {
  const initial = payload[start]
  if (initial === undefined) throw malformed("it ends too early")
  const major = initial >> 5
  const info = initial & 31
  if (info > 27) throw malformed("a length is not definite")
  const first = start + 1 + argumentBytes(info)
  const argument = info < 24 ? info : readUnsigned(payload, start + 1, first)
  switch (major) {
    case byteString:
    case textString:
      if (argument > payload.byteLength - first) throw malformed("it ends too early")
      return first + argument
    case array:
      return skipItems(payload, first, { count: argument, depth })
    case map:
      return skipItems(payload, first, { count: 2 * argument, depth })
    case tag:
      throw malformed("it is tagged")
    case simple:
      if (info < 20 || info === 24) throw malformed("a simple value is unknown")
      return first
    default:
      return first
  }
}

/** Each item takes a byte at least, so a count beyond the payload ends at the payload's end. */
function skipItems(
  payload: Uint8Array,
  start: number,
  { count, depth }: { count: number; depth: number },
): number {
  if (depth === maxDepth) throw malformed(`it is nested deeper than ${maxDepth}`)
  let at = start
  for (let item = 0; item < count; item++) at = skipItem(payload, at, depth + 1)
  return at
}

/** RFC 8949 §3: 24 to 27 say that the argument follows in 1, 2, 4 or 8 bytes. */
function argumentBytes(info: number): number {
  return info < 24 ? 0 : 2 ** (info - 24)
}

function readUnsigned(payload: Uint8Array, start: number, end: number): number {
  if (end > payload.byteLength) throw malformed("it ends too early")
  let value = 0
  for (const byte of payload.subarray(start, end)) value = value * 256 + byte
  return value
}

function malformed(found: string): AppError {
  return new AppError("bad_message", `Expected one untagged CBOR item of definite lengths; ${found}.`)
}
