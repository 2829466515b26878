/** What is known of a line so far: it is an HTTP request line, it is none, it may become one, or it is like nothing else. */
export type LineVerdict = "yes" | "no" | "maybe" | "likely"

/** Characters of a method (RFC 9110 §5.6.2, token). */
const methodBytes = new Set(
  Buffer.from("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
)
const space = 0x20
const slash = 0x2f
const del = 0x7f
/** Behind the target. */
const version = Buffer.from("HTTP/")
const [zero, nine] = [0x30, 0x39]
/** A path of more than this is a page's: it chooses the length. */
const maxLikelyBytes = 64 * 1024

/**
 * Recognises an HTTP request line (RFC 9112 §3) of any method, target and version, in pieces cut anywhere. It says no with the
 * first byte that no such line has there: a line end, a second space, a control character.
 */
export class RequestLine {
  #state: "method" | "target" | "version" | "yes" | "no" = "method"
  /** Bytes of the current part. */
  #size = 0
  #isPath = false

  take(bytes: Uint8Array): LineVerdict {
    for (const byte of bytes) {
      if (this.#state === "yes" || this.#state === "no") break
      this.#takeByte(byte)
    }
    if (this.#state === "yes" || this.#state === "no") return this.#state
    return this.#isPath ? "likely" : "maybe"
  }

  #takeByte(byte: number): void {
    switch (this.#state) {
      case "method":
        if (byte === space && this.#size > 0) this.#go("target")
        else if (methodBytes.has(byte)) this.#size += 1
        else this.#state = "no"
        return
      case "target":
        return this.#takeTarget(byte)
      case "version":
        if (this.#size === version.byteLength) this.#state = byte >= zero && byte <= nine ? "yes" : "no"
        else if (byte === version[this.#size]) this.#size += 1
        else this.#state = "no"
        return
      default:
    }
  }

  #takeTarget(byte: number): void {
    if (this.#size === 0) this.#isPath = byte === slash
    if (byte === space && this.#size > 0) return this.#go("version")
    if (byte <= space || byte === del) this.#state = "no"
    else this.#size += 1
    if (this.#isPath && this.#size > maxLikelyBytes) this.#state = "yes"
  }

  #go(state: "target" | "version"): void {
    this.#state = state
    this.#size = 0
  }
}
