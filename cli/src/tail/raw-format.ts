import type { StreamEvent } from "@serialcast/device-stream"
import type { Format } from "./format.ts"

const lineFeed = 0x0a
const nothing = new Uint8Array(0)

/** The bytes as they are. */
export class RawFormat implements Format {
  #isAtLineStart = true

  get isAtLineStart(): boolean {
    return this.#isAtLineStart
  }

  show(event: StreamEvent): Uint8Array {
    if (event.kind !== "bytes") return nothing
    this.#isAtLineStart = event.bytes.at(-1) === lineFeed
    return event.bytes
  }

  end(): string {
    return ""
  }
}
