import { AppError } from "./errors.ts"

/** Deeper than any message of the contract, which ends at page, records, record, mark. */
const maxDepth = 16

// RFC 8949 §3.1: the major types.
const unsigned = 0
const negative = 1
const byteString = 2
const textString = 3
const array = 4
const map = 5
const tag = 6

// Below this length, a loop of our own takes less time than a call of TextDecoder (measured).
const longText = 32
// No item of the contract is text that is not UTF-8; a byte order mark in it is a character like any other.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/**
 * The value of one CBOR item of the profile: RFC 8949, untagged, of definite lengths, with texts as keys. Integers come as
 * numbers, inexact from 2^53 on; maps as objects; bytes as views of `payload`. Throws `bad_message` for everything else.
 * Libraries were tried: of a few bytes of nested array heads they make gigabytes, of tags classes, and of negative integers
 * of 64 bits others.
 */
export function decodeCbor(payload: Uint8Array): unknown {
  const reader = new Reader(payload)
  const value = reader.read(0)
  reader.expectEnd()
  return value
}

class Reader {
  readonly #payload: Uint8Array
  #at = 0

  constructor(payload: Uint8Array) {
    this.#payload = payload
  }

  expectEnd(): void {
    const left = this.#payload.byteLength - this.#at
    if (left > 0) throw malformed(`${left} bytes follow it`)
  }

  read(depth: number): unknown {
    const initial = this.#readUnsigned(1)
    const info = initial & 31
    switch (initial >> 5) {
      case unsigned:
        return this.#readArgument(info)
      case negative:
        return -1 - this.#readArgument(info)
      case byteString:
        return this.#readBytes(info)
      case textString:
        return this.#readText(this.#readArgument(info))
      case array:
        return this.#readArray(this.#readArgument(info), depth)
      case map:
        return this.#readMap(this.#readArgument(info), depth)
      case tag:
        throw malformed("it is tagged")
      default:
        return this.#readSimple(info)
    }
  }

  #readArray(count: number, depth: number): unknown[] {
    if (depth === maxDepth) throw tooDeep()
    // Never allocated for `count` items before they are there: each takes a byte at least, so the payload ends first.
    const items: unknown[] = []
    for (let item = 0; item < count; item++) items.push(this.read(depth + 1))
    return items
  }

  #readMap(count: number, depth: number): Record<string, unknown> {
    if (depth === maxDepth) throw tooDeep()
    const entries: Record<string, unknown> = {}
    for (let entry = 0; entry < count; entry++) {
      const key = this.#readKey()
      const value = this.read(depth + 1)
      if (key !== "__proto__") entries[key] = value
    }
    return entries
  }

  #readKey(): string {
    const initial = this.#readUnsigned(1)
    if (initial >> 5 !== textString) throw malformed("a key is no text")
    return this.#readText(this.#readArgument(initial & 31))
  }

  #readBytes(info: number): Uint8Array {
    const length = this.#readArgument(info)
    const start = this.#take(length)
    // Not a view of the payload's own class: of a Buffer, some methods do other things.
    return new Uint8Array(this.#payload.buffer, this.#payload.byteOffset + start, length)
  }

  #readText(length: number): string {
    const start = this.#take(length)
    const text = length < longText ? this.#asciiFrom(start) : null
    if (text !== null) return text
    try {
      return utf8.decode(this.#payload.subarray(start, this.#at))
    } catch {
      throw malformed("a text is no UTF-8")
    }
  }

  /** The text from `start` to here; null when it has other characters. */
  #asciiFrom(start: number): string | null {
    const payload = this.#payload
    let text = ""
    let at = start
    // Four at a time, as each joining of texts costs as much as reading four bytes.
    for (; at + 4 <= this.#at; at += 4) {
      const a = payload[at] ?? 0
      const b = payload[at + 1] ?? 0
      const c = payload[at + 2] ?? 0
      const d = payload[at + 3] ?? 0
      if ((a | b | c | d) > 0x7f) return null
      text += String.fromCharCode(a, b, c, d)
    }
    for (; at < this.#at; at++) {
      const unit = payload[at] ?? 0
      if (unit > 0x7f) return null
      text += String.fromCharCode(unit)
    }
    return text
  }

  #readSimple(info: number): unknown {
    switch (info) {
      case 20:
        return false
      case 21:
        return true
      case 22:
        return null
      case 23:
        return undefined
      case 25:
        return halfFloat(this.#readUnsigned(2))
      case 26:
        return this.#view(4).getFloat32(0)
      case 27:
        return this.#view(8).getFloat64(0)
      default:
        throw malformed(info > 27 ? "a length is not definite" : "a simple value is unknown")
    }
  }

  /** A value, length or count. RFC 8949 §3: 24 to 27 say that it follows in 1, 2, 4 or 8 bytes. */
  #readArgument(info: number): number {
    if (info < 24) return info
    if (info > 27) throw malformed("a length is not definite")
    return this.#readUnsigned(2 ** (info - 24))
  }

  #readUnsigned(bytes: number): number {
    const start = this.#take(bytes)
    const payload = this.#payload
    let value = payload[start] ?? 0
    for (let at = start + 1; at < start + bytes; at++) value = value * 256 + (payload[at] ?? 0)
    return value
  }

  #view(bytes: number): DataView {
    const start = this.#take(bytes)
    return new DataView(this.#payload.buffer, this.#payload.byteOffset + start, bytes)
  }

  /** Answers where the next `bytes` bytes start, and goes behind them. */
  #take(bytes: number): number {
    const start = this.#at
    if (bytes > this.#payload.byteLength - start) throw malformed("it ends too early")
    this.#at = start + bytes
    return start
  }
}

/** RFC 8949, appendix D. */
function halfFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

function tooDeep(): AppError {
  return malformed(`it is nested deeper than ${maxDepth}`)
}

function malformed(found: string): AppError {
  return new AppError("bad_message", `Expected one untagged CBOR item of definite lengths; ${found}.`)
}
