import type { RawPasteAnswer } from "./scripted-board.ts"

export interface RawInputOptions {
  readonly rawPaste: RawPasteAnswer
  readonly say: (text: string) => void
  /** `isOkay`: it is to say OK before. */
  readonly run: (code: string, isOkay: boolean) => void
  readonly leave: () => void
  readonly reset: () => void
}

const banner = "raw REPL; CTRL-B to exit\r\n>"
const request = "\u0005A"
/** What a board gives up at once. */
const noSyntax = "!"

/** Raw and raw-paste mode of a scripted board. */
export class RawInput {
  readonly #options: RawInputOptions
  #line = ""
  /** Statements that were collected to be run together. */
  #collected = ""
  #paste: { left: number; isGivenUp: boolean } | null = null

  constructor(options: RawInputOptions) {
    this.#options = options
  }

  take(byte: number): void {
    if (this.#paste !== null) return this.#takePasted(byte, this.#paste)
    switch (byte) {
      case 0x01:
        return this.#line === request ? this.#answerPaste() : this.#begin(banner)
      case 0x02:
        this.#line = ""
        return this.#options.leave()
      case 0x03:
        this.#line = ""
        return
      case 0x04:
        return this.#runLine()
      default:
        this.#line += String.fromCharCode(byte)
    }
  }

  #begin(text: string): void {
    this.#line = ""
    this.#options.say(text)
  }

  #runLine(): void {
    const code = this.#line
    this.#line = ""
    if (code === "") return this.#options.reset()
    const [, operator, literal] = /^_sc(\+?=)b'(.*)'$/s.exec(code) ?? []
    if (literal !== undefined) {
      this.#collected = operator === "=" ? unescape(literal) : this.#collected + unescape(literal)
      return this.#options.say("OK\u0004\u0004>")
    }
    this.#options.run(code === "exec(globals().pop('_sc'))" ? this.#collected : code, true)
  }

  #answerPaste(): void {
    const { rawPaste, say } = this.#options
    this.#line = ""
    if (rawPaste === "silent") return
    if (rawPaste === "unknown") return say(banner)
    if (rawPaste === "refused") return say("R\u0000>")
    this.#paste = { left: rawPaste, isGivenUp: false }
    say(`R\u0001${String.fromCharCode(rawPaste & 0xff, rawPaste >> 8)}\u0001`)
  }

  #takePasted(byte: number, paste: { left: number; isGivenUp: boolean }): void {
    const { say, rawPaste } = this.#options
    if (byte === 0x04 || byte === 0x03) return this.#endPaste(byte, paste.isGivenUp)
    if (paste.isGivenUp) return
    this.#line += String.fromCharCode(byte)
    if (this.#line.endsWith(noSyntax)) {
      paste.isGivenUp = true
      return say("\u0004")
    }
    if (--paste.left > 0) return
    paste.left = Number(rawPaste)
    say("\u0001")
  }

  #endPaste(byte: number, isGivenUp: boolean): void {
    const { say, run } = this.#options
    const code = this.#line
    this.#line = ""
    this.#paste = null
    if (isGivenUp) return say("\u0004SyntaxError: invalid syntax\r\n\u0004>")
    say("\u0004")
    if (byte === 0x03) return say("\u0004KeyboardInterrupt: \r\n\u0004>")
    run(code, false)
  }
}

function unescape(literal: string): string {
  return literal.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}
