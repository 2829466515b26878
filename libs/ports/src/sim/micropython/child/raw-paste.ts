const ctrlC = 0x03
const ctrlD = 0x04
// A program for a board; one that is longer is given up as a board does that has no memory for it.
const maxSourceBytes = 512 * 1024

/** Taken, room for another window, end: what the two sides tell each other by. */
const windowFree = 0x01

export interface RawPasteStep {
  /** To be sent at once. */
  readonly reply: Uint8Array
  /** Absent while more is to come. */
  readonly end?: RawPasteEnd
}

export type RawPasteEnd =
  | { readonly kind: "source"; readonly source: Uint8Array }
  | { readonly kind: "interrupted" }
  | { readonly kind: "tooLarge" }

/**
 * The receiving side of raw-paste: the host may have so many bytes under way as it was told windows, and gets a byte 01
 * for each window that was taken. A peer of `mp_reader_stdin` of MicroPython, which the WebAssembly build cannot use, as
 * it has no blocking input.
 */
export class RawPaste {
  readonly #windowBytes: number
  #remainingBytes: number
  #source: number[] = []
  #isTooLarge = false

  constructor(windowBytes: number) {
    this.#windowBytes = windowBytes
    this.#remainingBytes = windowBytes
  }

  /** "R", yes, the window in two bytes, and one more window. */
  get greeting(): Uint8Array {
    return Uint8Array.of(0x52, 0x01, this.#windowBytes & 0xff, this.#windowBytes >> 8, windowFree)
  }

  push(byte: number): RawPasteStep {
    if (this.#isTooLarge) return this.#awaitEnd(byte)
    if (byte === ctrlC) return { reply: Uint8Array.of(ctrlD), end: { kind: "interrupted" } }
    if (byte === ctrlD)
      return { reply: Uint8Array.of(ctrlD), end: { kind: "source", source: Uint8Array.from(this.#source) } }
    this.#source.push(byte)
    if (this.#source.length > maxSourceBytes) {
      this.#isTooLarge = true
      return { reply: Uint8Array.of(ctrlD) }
    }
    if (--this.#remainingBytes > 0) return { reply: new Uint8Array() }
    this.#remainingBytes = this.#windowBytes
    return { reply: Uint8Array.of(windowFree) }
  }

  /** The host was told that it is in vain, and ends with a byte of its own. */
  #awaitEnd(byte: number): RawPasteStep {
    const isEnd = byte === ctrlC || byte === ctrlD
    return { reply: new Uint8Array(), ...(isEnd && { end: { kind: "tooLarge" } }) }
  }
}
