const nul = 0x00
const carriageReturn = 0x0d

/**
 * Takes the NUL out of CR NUL, which is how a telnet terminal sends a bare CR (RFC 854, "the NVT printer and keyboard").
 *
 * A CR is delivered at once, also at the end of a segment: the NUL of the next one is taken out all the same.
 */
export class ReturnFilter {
  #isAfterReturn = false

  /** Text without those NULs; the same array when there is none. */
  filter(text: Uint8Array): Uint8Array {
    if (text.byteLength === 0) return text
    const wasAfterReturn = this.#isAfterReturn
    this.#isAfterReturn = text.at(-1) === carriageReturn
    if (!text.includes(nul)) return text
    const filtered = new Uint8Array(text.byteLength)
    let size = 0
    let last = wasAfterReturn ? carriageReturn : nul
    // Index and `length`: iterators, `filter` and `byteLength` in the condition take ten times as long in V8.
    for (let at = 0; at < text.length; at++) {
      const byte = text[at] ?? 0
      if (byte !== nul || last !== carriageReturn) filtered[size++] = byte
      last = byte
    }
    return filtered.subarray(0, size)
  }

  /** Binary data has passed by: a NUL after it is data. */
  reset(): void {
    this.#isAfterReturn = false
  }
}
