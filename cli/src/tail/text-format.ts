import { formatStartPoint } from "@serialcast/contract"
import type { StreamEvent } from "@serialcast/device-stream"
import { escapeControls } from "../terminal/escape-controls.ts"
import type { BytesEvent, Format, FormatOptions } from "./format.ts"

/**
 * Bytes as UTF-8 text, shown as they come: control characters visible, and \r\n as one line end. Holds back at most an
 * incomplete character and a \r.
 */
export class TextFormat implements Format {
  readonly #hasTimes: boolean
  readonly #decoder = new TextDecoder()
  #heldReturn = ""
  #isAtLineStart = true

  constructor({ hasTimes }: FormatOptions) {
    this.#hasTimes = hasTimes
  }

  get isAtLineStart(): boolean {
    return this.#isAtLineStart
  }

  show(event: StreamEvent): string {
    switch (event.kind) {
      case "bytes":
        return this.#showBytes(event)
      case "gap":
        // What comes next does not continue what was held back.
        return this.end()
      case "mark":
      case "positioned":
        return ""
    }
  }

  end(): string {
    const text = escapeControls(this.#heldReturn + this.#decoder.decode())
    this.#heldReturn = ""
    if (text !== "") this.#isAtLineStart = false
    return text
  }

  #showBytes({ bytes, timeUs }: BytesEvent): string {
    const decoded = this.#heldReturn + this.#decoder.decode(bytes, { stream: true })
    this.#heldReturn = decoded.endsWith("\r") ? "\r" : ""
    const whole = decoded.slice(0, decoded.length - this.#heldReturn.length)
    const text = escapeControls(whole.replaceAll("\r\n", "\n"))
    if (text === "") return ""
    const timed = this.#hasTimes ? this.#withTimes(text, timeUs) : text
    this.#isAtLineStart = text.endsWith("\n")
    return timed
  }

  #withTimes(text: string, timeUs: number): string {
    const time = `${formatStartPoint({ kind: "time", timeUs })} `
    const start = this.#isAtLineStart ? time : ""
    // Every line start in the text but the one behind it, whose time is that of what comes then.
    return start + text.replaceAll(/\n(?=[^])/g, `\n${time}`)
  }
}
