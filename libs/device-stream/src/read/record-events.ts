import { type Cursor, formatCursor, isMarkRecord, type Mark, type StreamRecord } from "@serialcast/contract"
import { endOf, startOf } from "@serialcast/records"
import type { StreamEvent } from "./stream-event.ts"

/** What a reader gets for a record of an epoch. */
export function eventsOf(epoch: string, record: StreamRecord): StreamEvent[] {
  const cursor = { epoch, ...endOf(record) }
  const { offset, timeUs } = record
  if (!isMarkRecord(record)) {
    const { bytes, reads } = record
    const told: StreamEvent = { kind: "bytes", cursor, offset, timeUs, bytes }
    return [reads === undefined ? told : { ...told, reads }]
  }
  const { mark } = record
  const told: StreamEvent = { kind: "mark", cursor, timeUs, mark }
  // Before the mark and at its place: whoever resumes after one of the two gets the rest.
  return isAfterUnread(mark) ? [unreadGap({ epoch, ...startOf(record) }), told] : [told]
}

/** Bytes that the device sent while nobody read its port have no offset, and nobody knows how many they are. */
function isAfterUnread(mark: Mark): boolean {
  return mark.kind === "overrun" || (mark.kind === "opened" && mark.open > 1)
}

function unreadGap(cursor: Cursor): StreamEvent {
  const place = formatCursor(cursor)
  return { kind: "gap", cursor, gap: { from: place, to: place, bytes: null, reason: "unread" } }
}
