const ctrlA = 0x01
const ctrlB = 0x02
const ctrlC = 0x03
const ctrlD = 0x04
const ctrlE = 0x05
const rawBanner = "raw REPL; CTRL-B to exit\r\n>"

/**
 * Knows what the interpreter's own REPL does not tell: whether it is the raw one, and what of its line asks for raw-paste.
 * Sees each byte before the REPL does, and what the REPL answered.
 */
export class ReplWatch {
  #isRaw = false
  #line: number[] = []

  get isRaw(): boolean {
    return this.#isRaw
  }

  /** Whether this byte is the last of 05 41 01, which asks for raw-paste. */
  asksForRawPaste(byte: number): boolean {
    const [first, second] = this.#line
    return this.#isRaw && byte === ctrlA && this.#line.length === 2 && first === ctrlE && second === 0x41
  }

  /** Whether a program may run when the REPL gets this byte. */
  mayRun(byte: number): boolean {
    return byte === ctrlD || (!this.#isRaw && (byte === 0x0d || byte === 0x0a))
  }

  passed(byte: number, answer: string): void {
    if (byte === ctrlA && answer.endsWith(rawBanner)) this.#isRaw = true
    else if (byte === ctrlB && this.#isRaw) this.#isRaw = false
    if ([ctrlA, ctrlB, ctrlC, ctrlD].includes(byte)) this.#line = []
    else if (this.#line.length < 3) this.#line.push(byte)
  }
}
