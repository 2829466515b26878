import { escapeByte } from "./codes.ts"

/** What came by the line, in its order. */
export type LineItem =
  | { readonly kind: "data"; readonly bytes: Uint8Array }
  | { readonly kind: "code"; readonly code: number }

/**
 * Parts the bytes of the line into data and codes. A pair may be split over two reads; it holds nothing but that. Data
 * before a code of the same read is an item before it, so that a disconnect takes nothing with it that came earlier.
 */
export class LineDecoder {
  #isEscaped = false

  /** Items may share memory with `bytes`. */
  decode(bytes: Uint8Array): readonly LineItem[] {
    if (bytes.byteLength === 0) return []
    if (!this.#isEscaped && bytes.indexOf(escapeByte) < 0) return [{ kind: "data", bytes }]
    return this.#decodeEscaped(bytes)
  }

  /** Forgets half a pair: what follows does not join on. */
  reset(): void {
    this.#isEscaped = false
  }

  #decodeEscaped(bytes: Uint8Array): readonly LineItem[] {
    const items: LineItem[] = []
    const data = new Uint8Array(bytes.byteLength)
    let begin = 0
    let end = 0
    const endData = () => {
      if (end > begin) items.push({ kind: "data", bytes: data.subarray(begin, end) })
      begin = end
    }
    let from = 0
    while (from < bytes.byteLength) {
      if (this.#isEscaped) {
        const code = bytes[from++] ?? escapeByte
        this.#isEscaped = false
        if (code === escapeByte) {
          data[end++] = escapeByte
        } else {
          endData()
          items.push({ kind: "code", code })
        }
      } else {
        const found = bytes.indexOf(escapeByte, from)
        const until = found < 0 ? bytes.byteLength : found
        if (until > from) data.set(bytes.subarray(from, until), end)
        end += until - from
        from = until + 1
        this.#isEscaped = found >= 0
      }
    }
    endData()
    return items
  }
}
