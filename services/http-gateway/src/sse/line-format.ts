import { formatCursor } from "@serialcast/contract"
import type { MessageEvent } from "@serialcast/device-stream"
import { type EventFormat, gapEvent, markEvent, openEvent } from "./event-format.ts"

/**
 * `line` events: `t` is the time of the first byte in microseconds since 1970, as in the `stream` topic; `text` is UTF-8,
 * in which what is none becomes U+FFFD. Each id stands after the end of its line, so that a client that resumes there
 * gets the next line whole. `cut` says that it is not known to be what the device sent as one message.
 */
export function createLineFormat(): EventFormat<MessageEvent> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  return {
    toEvents(event, state) {
      switch (event.kind) {
        case "message": {
          const { bytes, timeUs, cursor, isCut } = event
          const line = { t: timeUs, text: decoder.decode(bytes), ...(isCut ? { cut: true } : {}) }
          return [{ event: "line", data: JSON.stringify(line), id: formatCursor(cursor) }]
        }
        case "positioned":
          return [openEvent(event, state())]
        case "mark":
          return [markEvent(event, { mayResume: !event.isInside })]
        case "gap":
          return [gapEvent(event)]
      }
    },
  }
}
