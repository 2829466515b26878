import { allowControl, allowEscape, type TerminalSize } from "./allowed-sequences.ts"

/** A longer one is no sequence that anybody writes; what is held of it is bounded. */
const maxSequence = 256

const can = 0x18
const sub = 0x1a
const esc = 0x1b
const bel = 0x07
const lf = 0x0a

/** Everything but characters and the controls from BEL to SI, which move the cursor or choose a character set. */
// oxlint-disable-next-line eslint/no-control-regex -- finding them is its purpose
const special = /[\u0000-\u0006\u0010-\u001f\u007f-\u009f]/g

/** Where in a sequence the text is. `titled`: in OSC, `string`: in DCS, APC, PM or SOS; nothing of these is shown. */
type State = "text" | "escape" | "control" | "string" | "titled"

/**
 * What a terminal may get of a device's bytes. A terminal that obeys them all can be stopped by 14 bytes (counts of 2^31),
 * and made to type into the device, in each viewer's name (mouse and focus reports, answers to queries, pastes in
 * brackets). So sequences are not searched for bad ones: only those known to draw pass, each whole and written anew
 * (`allowControl`), and between two of them the terminal is always in plain text, whatever it takes for a sequence.
 * Divided as it may be, the same bytes give the same text.
 */
export class TerminalFilter {
  readonly #size: () => TerminalSize
  // A byte order mark is a device byte like any other; what is no UTF-8 becomes U+FFFD.
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  #state: State = "text"
  /** Of the sequence that has begun, what stands behind its introducer. */
  #body = ""

  constructor(size: () => TerminalSize) {
    this.#size = size
  }

  push(bytes: Uint8Array): string {
    return this.#filter(this.#decoder.decode(bytes, { stream: true }))
  }

  /** What follows does not go on with what came before: a sequence that has begun is forgotten. */
  end(): string {
    const rest = this.#filter(this.#decoder.decode())
    this.#enter("text")
    return rest
  }

  #filter(text: string): string {
    let shown = ""
    for (let at = 0; at < text.length; at++) {
      if (this.#state === "text") {
        special.lastIndex = at
        const next = special.exec(text)?.index ?? text.length
        shown += text.slice(at, next)
        at = next
        if (at === text.length) break
      }
      shown += this.#take(text.charCodeAt(at))
    }
    return shown
  }

  /** A character in a sequence, or a special one; answers what it brings to the screen. */
  #take(code: number): string {
    // These end whatever has begun (ECMA-48, and DEC's terminals).
    if (code === esc) return this.#enter("escape")
    if (code === can || code === sub) return this.#enter("text")
    // The controls of eight bits are their escapes of seven.
    if (code >= 0x80 && code < 0xa0) {
      this.#enter("escape")
      return this.#takeEscape(code - 0x40)
    }
    switch (this.#state) {
      case "text":
        return ""
      case "escape":
        return this.#takeInside(code, 0x30) ?? this.#takeEscape(code)
      case "control":
        return this.#takeInside(code, 0x40) ?? this.#takeControl(code)
      case "titled":
      case "string":
        if (code === bel && this.#state === "titled") return this.#enter("text")
        // Neither goes over a line end: noise must not hide all that follows.
        return code === lf ? `${this.#enter("text")}\n` : ""
    }
  }

  /** undefined for the final byte of a sequence, which is one from `firstFinal` on. */
  #takeInside(code: number, firstFinal: number): string | undefined {
    // Obeyed as if it stood before the sequence.
    if (code >= bel && code < 0x10) return String.fromCharCode(code)
    if (code < 0x20 || code === 0x7f) return ""
    if (code >= 0x80) return this.#enter("text") + String.fromCharCode(code)
    if (code >= firstFinal) return undefined
    if (this.#body.length < maxSequence) this.#body += String.fromCharCode(code)
    return ""
  }

  #takeEscape(code: number): string {
    const final = String.fromCharCode(code)
    const intermediates = this.#body
    if (intermediates === "") {
      if (final === "[") return this.#enter("control")
      if (final === "]") return this.#enter("titled")
      if ("PX^_".includes(final)) return this.#enter("string")
    }
    this.#enter("text")
    return allowEscape(intermediates, final)
  }

  #takeControl(code: number): string {
    const body = this.#body
    this.#enter("text")
    return body.length < maxSequence ? allowControl(body, String.fromCharCode(code), this.#size()) : ""
  }

  #enter(state: State): "" {
    this.#state = state
    this.#body = ""
    return ""
  }
}
