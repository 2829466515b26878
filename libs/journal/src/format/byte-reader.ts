const utf8 = new TextDecoder()

/** Reads what `ByteWriter` wrote. Throws `RangeError` beyond the end, and for a number that is no safe integer. */
export class ByteReader {
  readonly #view: DataView
  #at: number
  readonly #end: number

  constructor(view: DataView, at: number, end: number) {
    this.#view = view
    this.#at = at
    this.#end = end
  }

  u8(): number {
    return this.#view.getUint8(this.#pass(1))
  }

  u32(): number {
    return this.#view.getUint32(this.#pass(4))
  }

  u56(): number {
    const at = this.#pass(7)
    const high = this.#view.getUint8(at) * 0x10000 + this.#view.getUint16(at + 1)
    return high * 2 ** 32 + this.#view.getUint32(at + 3)
  }

  varint(): number {
    let value = 0
    for (let scale = 1; ; scale *= 0x80) {
      const group = this.u8()
      value += (group & 0x7f) * scale
      if (value > Number.MAX_SAFE_INTEGER) throw new RangeError("The number is too large.")
      if (group < 0x80) return value
    }
  }

  signed(): number {
    const value = this.varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  /** A view. */
  bytes(count: number): Uint8Array {
    const at = this.#pass(count)
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + at, count)
  }

  /** Of `count` bytes; all that are left by default. */
  text(count = this.#end - this.#at): string {
    return utf8.decode(this.bytes(count))
  }

  #pass(count: number): number {
    const at = this.#at
    if (at + count > this.#end) throw new RangeError("It ends too early.")
    this.#at += count
    return at
  }
}
