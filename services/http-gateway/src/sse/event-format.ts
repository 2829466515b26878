import { type DeviceState, formatCursor } from "@serialcast/contract"
import type { StreamEvent } from "@serialcast/device-stream"
import type { ByteEncoding } from "./encodings.ts"
import type { ServerEvent } from "./event-stream.ts"

/** How the API tells the events of a device's stream. One format for each client: an encoding may hold bytes back. */
export function createEventFormat(encoding: ByteEncoding) {
  return (event: StreamEvent, state: () => DeviceState | undefined): readonly ServerEvent[] => {
    if (event.kind === "bytes") return present(encoding.encode(event))
    if (event.cursor === null)
      return [{ event: "open", data: JSON.stringify({ cursor: null, state: state() ?? null }) }]
    const id = formatCursor(event.cursor)
    switch (event.kind) {
      case "positioned":
        return [{ event: "open", data: JSON.stringify({ cursor: id, state: state() ?? null }), id }]
      case "mark": {
        const data = JSON.stringify({ cursor: id, time: timeOf(event.timeUs), ...event.mark })
        return [...present(encoding.flush()), { event: "mark", data, id }]
      }
      case "gap":
        return [...present(encoding.flush()), { event: "gap", data: JSON.stringify(event.gap), id }]
    }
  }
}

function present(event: ServerEvent | null): ServerEvent[] {
  return event === null ? [] : [event]
}

/** RFC 3339, in milliseconds. */
function timeOf(timeUs: number): string {
  return new Date(timeUs / 1000).toISOString()
}
