import { concatBytes, incompleteTail } from "@serialcast/primitives"

/** A frame's text at most, in bytes of UTF-8: quick to show, and far below what a frame may have. */
export const maxTextBytes = 16 * 1024

const continuationBits = 0xc0
const continuation = 0x80

/**
 * Makes texts of what a board sends, each valid UTF-8 on its own (browsers close a connection at the first one that is not,
 * RFC 6455 §8.1). A character that is cut waits for its rest; what is no UTF-8 becomes U+FFFD.
 */
export class TextJoiner {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  readonly #encoder = new TextEncoder()
  #held: Uint8Array = new Uint8Array(0)

  /** The beginning of a character waits for its rest. */
  get isHolding(): boolean {
    return this.#held.byteLength > 0
  }

  /** Texts of 16 KiB at most, as UTF-8, in order. */
  push(bytes: Uint8Array): Uint8Array[] {
    const all = this.isHolding ? concatBytes([this.#held, bytes]) : bytes
    const end = all.byteLength - incompleteTail(all)
    // What is held is three bytes at most; the chunk that they came in is not to be held with them.
    this.#held = all.slice(end)
    return this.#textsOf(all.subarray(0, end))
  }

  /** What is held, whose rest does not come. */
  flush(): Uint8Array[] {
    const held = this.#held
    this.#held = new Uint8Array(0)
    return this.#textsOf(held)
  }

  #textsOf(bytes: Uint8Array): Uint8Array[] {
    const text = this.#encoder.encode(this.#decoder.decode(bytes))
    const texts: Uint8Array[] = []
    for (let start = 0; start < text.byteLength; ) {
      const end = borderBefore(text, start + maxTextBytes)
      texts.push(text.subarray(start, end))
      start = end
    }
    return texts
  }
}

/** `at`, or the place before it where a character begins. */
function borderBefore(text: Uint8Array, at: number): number {
  if (at >= text.byteLength) return text.byteLength
  let border = at
  while (((text[border] ?? 0) & continuationBits) === continuation) border -= 1
  return border
}
