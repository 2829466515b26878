import { type Framing, formatCursor } from "@serialcast/contract"
import { createFramer, type Frame, isFrameBreak } from "@serialcast/framing"
import type { ByteEncoding } from "./encodings.ts"
import type { ServerEvent } from "./event-stream.ts"

/**
 * `line` events: `t` is the time of the first byte in microseconds since 1970, as in the `stream` topic; `text` is UTF-8,
 * in which what is none becomes U+FFFD. Each id stands after the end of its line, so that a client that resumes there
 * gets the next line whole. `cut` says that it is not what the device sent as one message.
 */
export function createLineEncoding(framing: Framing): ByteEncoding {
  const framer = createFramer(framing)
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  let epoch = ""
  const tell = ({ bytes, timeUs, end, isCut }: Frame): ServerEvent => ({
    event: "line",
    data: JSON.stringify({ t: timeUs, text: decoder.decode(bytes), ...(isCut ? { cut: true } : {}) }),
    id: formatCursor({ epoch, offset: end, mark: 0 }),
  })
  return {
    silenceMs: framer.silenceMs,
    get isHolding() {
      return framer.isHolding
    },
    encode(event) {
      epoch = event.cursor.epoch
      return framer.push(event.bytes, event).map(tell)
    },
    flush(reason) {
      if (reason === "silence") return framer.flush("silence").map(tell)
      return reason.kind === "gap" || isFrameBreak(reason.mark) ? framer.flush("break").map(tell) : []
    },
  }
}
