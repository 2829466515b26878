import { type DeviceState, formatCursor } from "@serialcast/contract"
import type { StreamEvent } from "@serialcast/device-stream"
import type { ByteEncoding } from "./encodings.ts"
import type { ServerEvent } from "./event-stream.ts"

/** What one client is told of a stream, event by event. */
export interface EventFormat<E> {
  toEvents(event: E, state: () => DeviceState | undefined): readonly ServerEvent[]
}

type Told<K extends StreamEvent["kind"]> = Extract<StreamEvent, { readonly kind: K }>

/** How the API tells the events of a device's stream. One format for each client: an encoding may hold bytes back. */
export function createEventFormat(encoding: ByteEncoding): EventFormat<StreamEvent> {
  return {
    toEvents(event, state) {
      switch (event.kind) {
        case "bytes":
          return encoding.encode(event)
        case "positioned":
          return [openEvent(event, state())]
        case "mark": {
          const flushed = encoding.flush(event)
          // A client that resumed after the mark would miss what is held back.
          return [...flushed, markEvent(event, { mayResume: !encoding.isHolding })]
        }
        case "gap":
          return [...encoding.flush(event), gapEvent(event)]
      }
    },
  }
}

/** The begin of a stream; without an id while its place is not known. */
export function openEvent({ cursor }: Told<"positioned">, state: DeviceState | undefined): ServerEvent {
  const id = cursor === null ? null : formatCursor(cursor)
  const event = { event: "open", data: JSON.stringify({ cursor: id, state: state ?? null }) }
  return id === null ? event : { ...event, id }
}

/** A mark; without an id where a client that resumed after it would miss something. */
export function markEvent(
  { cursor, timeUs, mark }: Told<"mark">,
  { mayResume }: { readonly mayResume: boolean },
): ServerEvent {
  const id = formatCursor(cursor)
  const data = JSON.stringify({ cursor: id, time: timeOf(timeUs), ...mark })
  return mayResume ? { event: "mark", data, id } : { event: "mark", data }
}

export function gapEvent({ cursor, gap }: Told<"gap">): ServerEvent {
  return { event: "gap", data: JSON.stringify(gap), id: formatCursor(cursor) }
}

/** RFC 3339, in milliseconds. */
function timeOf(timeUs: number): string {
  return new Date(timeUs / 1000).toISOString()
}
