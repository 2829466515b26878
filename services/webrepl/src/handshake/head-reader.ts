import { concatBytes } from "@serialcast/primitives"

/** Far more than browsers send with all their cookies for an address. */
export const maxHeadBytes = 16 * 1024

const lf = 0x0a

export type HeadProgress =
  /** The empty line has not come. */
  | { readonly kind: "more" }
  /** The request line first, without line ends; `rest` is what came behind the empty line. */
  | { readonly kind: "head"; readonly lines: readonly string[]; readonly rest: Uint8Array }
  /** Longer than `maxHeadBytes`. */
  | { readonly kind: "too-large" }

/** Collects the head of an HTTP request: lines that end in CR LF or LF, up to an empty one (RFC 9112 §2.2). */
export class HeadReader {
  #bytes: Uint8Array = new Uint8Array(0)
  /** Up to there no line ends the head. */
  #lineStart = 0

  push(bytes: Uint8Array): HeadProgress {
    this.#bytes = concatBytes([this.#bytes, bytes])
    for (;;) {
      const end = this.#bytes.indexOf(lf, this.#lineStart)
      if ((end < 0 ? this.#bytes.byteLength : end) >= maxHeadBytes) return { kind: "too-large" }
      if (end < 0) return { kind: "more" }
      // The line before the first one is the request line, however empty.
      const isEmpty = this.#lineStart > 0 && this.#textOf(this.#lineStart, end) === ""
      this.#lineStart = end + 1
      if (isEmpty) return { kind: "head", lines: this.#lines(end), rest: this.#bytes.subarray(end + 1) }
    }
  }

  /** All lines before the empty one, which ends at `end`. */
  #lines(end: number): string[] {
    const lines: string[] = []
    for (let start = 0; start < end; ) {
      const stop = this.#bytes.indexOf(lf, start)
      const line = this.#textOf(start, stop)
      if (stop < end) lines.push(line)
      start = stop + 1
    }
    return lines
  }

  /** One character for each byte: a key may be of any bytes, and its answer is made of the same ones. */
  #textOf(start: number, end: number): string {
    return Buffer.from(this.#bytes.subarray(start, end)).toString("latin1").replace(/\r$/, "")
  }
}
