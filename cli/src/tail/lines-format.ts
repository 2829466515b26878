import { formatStartPoint } from "@serialcast/contract"
import type { MessageEvent } from "@serialcast/device-stream"
import { escapeControls } from "../terminal/escape-controls.ts"
import type { FormatOptions } from "./format.ts"

/**
 * Messages as text, a line for each, so that lines of several devices on one terminal do not mix. One that is not known to
 * be whole ends with `…`.
 */
export class LinesFormat {
  readonly isAtLineStart = true
  readonly #hasTimes: boolean
  readonly #decoder = new TextDecoder()

  constructor({ hasTimes }: FormatOptions) {
    this.#hasTimes = hasTimes
  }

  /** Nothing to show is empty. */
  show(event: MessageEvent): string {
    if (event.kind !== "message") return ""
    const { bytes, timeUs, isCut } = event
    const time = this.#hasTimes ? `${formatStartPoint({ kind: "time", timeUs })} ` : ""
    const text = escapeControls(this.#decoder.decode(bytes)).replaceAll("\n", "\\x0A")
    return `${time}${text}${isCut ? "…" : ""}\n`
  }
}
