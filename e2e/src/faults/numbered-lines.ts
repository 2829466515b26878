// Fifteen digits and a line end: a reader that finds itself anywhere in them soon knows where it is.
const digits = 15
export const lineBytes = digits + 1

/** Lines `from` to `from + count - 1` of the endless text that a test device sends. */
export function numberedLines(from: number, count: number): Uint8Array {
  const lines = Array.from({ length: count }, (_, at) => `${String(from + at).padStart(digits, "0")}\n`)
  return new TextEncoder().encode(lines.join(""))
}

/** Checks a stream of numbered lines in which only told gaps may be. */
export class NumberedLinesCheck {
  /** Lines that came whole. */
  received = 0
  /** Lines that a gap swallowed. */
  missing = 0
  /** The line that comes next. */
  next = 0
  #rest = ""
  #isAfterGap = false
  readonly #decoder = new TextDecoder("latin1")

  /** Throws when `bytes` do not go on where the last ones ended, except after a gap. */
  push(bytes: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(bytes)).split("\n")
    this.#rest = lines.pop() ?? ""
    for (const line of lines) this.#check(line)
  }

  /** Bytes were lost here: the line that is broken off, and whole ones after it, may be missing. */
  gap(): void {
    this.#isAfterGap = true
  }

  #check(line: string): void {
    const isWhole = /^\d{15}$/.test(line)
    const number = Number(line)
    if (isWhole && number === this.next) {
      this.received++
      this.next++
      this.#isAfterGap = false
      return
    }
    if (!this.#isAfterGap) throw new Error(`expected line ${this.next}, found ${JSON.stringify(line)}`)
    // What a gap cut in two is no line of its own, and what follows must still be ahead.
    if (!isWhole || number < this.next) return
    this.missing += number - this.next
    this.received++
    this.next = number + 1
    this.#isAfterGap = false
  }
}
