import type { StreamEvent } from "@serialcast/device-stream"
import type { Format, FormatOptions } from "./format.ts"
import { TextFormat } from "./text-format.ts"

/** A longer line is shown in pieces, so that a device without line ends costs no more memory than this. */
const maxHeldCharacters = 64 * 1024

/** Whole lines of text only, so that lines of several devices on one terminal do not mix. */
export class LinesFormat implements Format {
  readonly isAtLineStart = true
  readonly #text: TextFormat
  #held = ""

  constructor(options: FormatOptions) {
    this.#text = new TextFormat(options)
  }

  show(event: StreamEvent): string {
    const text = this.#held + this.#text.show(event)
    // What comes after a gap does not continue the line.
    if (event.kind === "gap") return this.#take(text, text.length)
    return this.#take(text, text.length > maxHeldCharacters ? text.length : text.lastIndexOf("\n") + 1)
  }

  end(): string {
    const text = this.#held + this.#text.end()
    return this.#take(text, text.length)
  }

  /** The first `length` characters as lines; the rest is held. */
  #take(text: string, length: number): string {
    this.#held = text.slice(length)
    const taken = text.slice(0, length)
    return taken === "" || taken.endsWith("\n") ? taken : `${taken}\n`
  }
}
