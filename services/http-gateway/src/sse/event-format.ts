import { type DeviceState, formatCursor } from "@serialcast/contract"
import type { StreamEvent } from "@serialcast/device-stream"
import type { ByteEncoding } from "./encodings.ts"
import type { ServerEvent } from "./event-stream.ts"

/** What one client is told of a stream. */
export interface EventFormat {
  toEvents(event: StreamEvent, state: () => DeviceState | undefined): readonly ServerEvent[]
  /** What is told when nothing came for so long after an event; null: nothing. */
  readonly silence: { readonly ms: number; toEvents(): readonly ServerEvent[] } | null
}

/** How the API tells the events of a device's stream. One format for each client: an encoding may hold bytes back. */
export function createEventFormat(encoding: ByteEncoding): EventFormat {
  const { silenceMs: ms } = encoding
  return {
    silence:
      ms === null ? null : { ms, toEvents: () => (encoding.isHolding ? encoding.flush("silence") : []) },
    toEvents(event, state) {
      if (event.kind === "bytes") return encoding.encode(event)
      if (event.cursor === null)
        return [{ event: "open", data: JSON.stringify({ cursor: null, state: state() ?? null }) }]
      const id = formatCursor(event.cursor)
      switch (event.kind) {
        case "positioned":
          return [{ event: "open", data: JSON.stringify({ cursor: id, state: state() ?? null }), id }]
        case "mark": {
          const data = JSON.stringify({ cursor: id, time: timeOf(event.timeUs), ...event.mark })
          const flushed = encoding.flush(event)
          // A client that resumed after the mark would miss what is held back.
          return [...flushed, encoding.isHolding ? { event: "mark", data } : { event: "mark", data, id }]
        }
        case "gap":
          return [...encoding.flush(event), { event: "gap", data: JSON.stringify(event.gap), id }]
      }
    },
  }
}

/** RFC 3339, in milliseconds. */
function timeOf(timeUs: number): string {
  return new Date(timeUs / 1000).toISOString()
}
