import { type Cursor, type DeviceState, formatCursor } from "@serialcast/contract"
import type { StreamEvent } from "@serialcast/device-stream"
import { encodeBytesFrame, encodeServerMessage } from "../wire/frames.ts"

/**
 * Turns the events of one reading into frames of `serialcast.v1`. A binary frame carries no epoch, so each change of
 * epoch is announced: after the gap that explains it, before the bytes that count in it. So is the first one, when the
 * reading was opened before its place was known.
 */
export function createEventEncoder(
  state: () => DeviceState | null,
): (event: StreamEvent) => (string | Uint8Array)[] {
  let epoch: string | null = null
  let isOpen = false

  function announceEpoch(cursor: Cursor): string[] {
    if (cursor.epoch === epoch) return []
    epoch = cursor.epoch
    return [encodeServerMessage({ type: "epoch", epoch, cursor: formatCursor(cursor) })]
  }

  function open(place: Cursor | null): string[] {
    if (isOpen) return place === null ? [] : announceEpoch(place)
    isOpen = true
    epoch = place?.epoch ?? null
    const cursor = place && formatCursor(place)
    return [encodeServerMessage({ type: "open", epoch, cursor, state: state() })]
  }

  return (event) => {
    switch (event.kind) {
      case "positioned":
        return open(event.cursor)
      case "gap": {
        const gap = { type: "gap", cursor: formatCursor(event.cursor), gap: event.gap } as const
        return [encodeServerMessage(gap), ...announceEpoch(event.cursor)]
      }
      case "mark": {
        const { timeUs, mark } = event
        const cursor = formatCursor(event.cursor)
        return [...announceEpoch(event.cursor), encodeServerMessage({ type: "mark", cursor, timeUs, mark })]
      }
      case "bytes":
        return [...announceEpoch(event.cursor), encodeBytesFrame(event)]
    }
  }
}
