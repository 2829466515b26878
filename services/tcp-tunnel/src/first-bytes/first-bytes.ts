import { concatBytes } from "@serialcast/primitives"
import { decidingBytes, isBrowserOpening } from "./binary-openings.ts"
import { RequestLine } from "./request-line.ts"

/**
 * `page`: a browser sends this; `other`: it does not. Else it is not known yet: it may become a request's line (`maybe`, or
 * `likely` with the beginning of a path), or a packet that is no text (`packet`).
 */
export type FirstBytesVerdict = "page" | "other" | "maybe" | "likely" | "packet"

/**
 * Tells from a connection's first bytes whether a web browser has opened it, in pieces cut anywhere. A page of any site makes
 * the browser of whoever looks at it connect to any port, and puts into what it sends what it likes; how it begins is not
 * the page's to choose.
 */
export class FirstBytes {
  readonly #line = new RequestLine()
  #head: Uint8Array = new Uint8Array(0)

  take(bytes: Uint8Array): FirstBytesVerdict {
    const missing = decidingBytes - this.#head.byteLength
    if (missing > 0) this.#head = concatBytes([this.#head, bytes.subarray(0, missing)])
    const line = this.#line.take(bytes)
    const binary = isBrowserOpening(this.#head)
    if (line === "yes" || binary === "yes") return "page"
    if (line === "no") return binary === "no" ? "other" : "packet"
    return line
  }
}
