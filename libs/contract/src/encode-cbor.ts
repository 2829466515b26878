// RFC 8949 §3.1: the major types of what the profile has.
const unsigned = 0x00
const negative = 0x20
const byteString = 0x40
const textString = 0x60
const array = 0x80
const map = 0xa0

const falseByte = 0xf4
const trueByte = 0xf5
const nullByte = 0xf6
const float64Byte = 0xfb

// Below this length, a loop of our own takes less time than a call of TextEncoder (measured).
const longText = 64
const utf8 = new TextEncoder()

/** What most messages are below, in bytes. */
const smallBytes = 192

/**
 * One CBOR item of the profile: untagged, of definite lengths, with the shortest heads. Safe integers are integers whatever
 * their size, other numbers are float64. In a map, what is undefined is left out, as in JSON; elsewhere it is null.
 * Libraries were tried: what they make of integers above 32 bits or of bytes depends on how these are given to them, deep
 * inside of every message.
 */
export function encodeCbor(value: unknown): Uint8Array {
  const writer = new Writer()
  writer.write(value)
  return writer.written
}

class Writer {
  #bytes = new Uint8Array(smallBytes)
  #at = 0

  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#at)
  }

  write(value: unknown): void {
    switch (typeof value) {
      case "number":
        if (!Number.isSafeInteger(value)) this.#writeFloat(value)
        else if (value < 0) this.#writeHead(negative, -1 - value)
        else this.#writeHead(unsigned, value)
        return
      case "string":
        return this.#writeText(value)
      case "boolean":
        return this.#writeByte(value ? trueByte : falseByte)
      case "undefined":
        return this.#writeByte(nullByte)
      case "object":
        if (value === null) return this.#writeByte(nullByte)
        if (value instanceof Uint8Array) return this.#writeBytes(value)
        if (Array.isArray(value)) return this.#writeArray(value)
        // Of an object's own fields, whatever they are.
        return this.#writeMap(value as Record<string, unknown>)
      default:
        throw new TypeError(`A message of the contract has no ${typeof value}.`)
    }
  }

  #writeBytes(bytes: Uint8Array): void {
    this.#writeHead(byteString, bytes.byteLength)
    this.#needRoom(bytes.byteLength)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.byteLength
  }

  #writeArray(items: readonly unknown[]): void {
    this.#writeHead(array, items.length)
    for (const item of items) this.write(item)
  }

  #writeMap(entries: Readonly<Record<string, unknown>>): void {
    const keys = Object.keys(entries)
    let count = 0
    for (const key of keys) if (entries[key] !== undefined) count++
    this.#writeHead(map, count)
    for (const key of keys) {
      const value = entries[key]
      if (value === undefined) continue
      this.#writeText(key)
      this.write(value)
    }
  }

  #writeText(text: string): void {
    if (text.length < longText && this.#hasWrittenAscii(text)) return
    const encoded = utf8.encode(text)
    this.#writeHead(textString, encoded.byteLength)
    this.#needRoom(encoded.byteLength)
    this.#bytes.set(encoded, this.#at)
    this.#at += encoded.byteLength
  }

  /** Writes a short text as what most are; false, and nothing is written, when it has other characters. */
  #hasWrittenAscii(text: string): boolean {
    const start = this.#at
    this.#writeHead(textString, text.length)
    this.#needRoom(text.length)
    const bytes = this.#bytes
    let to = this.#at
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at)
      if (unit > 0x7f) {
        this.#at = start
        return false
      }
      bytes[to++] = unit
    }
    this.#at = to
    return true
  }

  /** The head of an item: its type, and its value, length or count. */
  #writeHead(major: number, argument: number): void {
    this.#needRoom(9)
    const bytes = this.#bytes
    if (argument < 24) {
      bytes[this.#at++] = major | argument
    } else if (argument <= 0xff) {
      bytes[this.#at++] = major | 24
      bytes[this.#at++] = argument
    } else if (argument <= 0xffff) {
      bytes[this.#at++] = major | 25
      bytes[this.#at++] = argument >> 8
      bytes[this.#at++] = argument & 0xff
    } else if (argument <= 0xffff_ffff) {
      bytes[this.#at++] = major | 26
      this.#writeWord(argument)
    } else {
      bytes[this.#at++] = major | 27
      this.#writeWord(Math.floor(argument / 2 ** 32))
      this.#writeWord(argument % 2 ** 32)
    }
  }

  #writeFloat(value: number): void {
    this.#writeByte(float64Byte)
    this.#needRoom(8)
    new DataView(this.#bytes.buffer).setFloat64(this.#at, value)
    this.#at += 8
  }

  /** 32 bits, the highest first, where there is room for them. */
  #writeWord(word: number): void {
    const bytes = this.#bytes
    bytes[this.#at++] = word >>> 24
    bytes[this.#at++] = (word >>> 16) & 0xff
    bytes[this.#at++] = (word >>> 8) & 0xff
    bytes[this.#at++] = word & 0xff
  }

  #writeByte(byte: number): void {
    this.#needRoom(1)
    this.#bytes[this.#at++] = byte
  }

  #needRoom(bytes: number): void {
    const needed = this.#at + bytes
    if (needed <= this.#bytes.byteLength) return
    // What comes after a long string is little.
    const larger = new Uint8Array(Math.max(2 * this.#bytes.byteLength, needed + smallBytes))
    larger.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = larger
  }
}
