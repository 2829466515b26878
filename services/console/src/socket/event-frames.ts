import { type DeviceState, formatCursor } from "@serialcast/contract"
import type { StreamEvent } from "@serialcast/device-stream"
import { encodeBytesFrame, encodeServerMessage } from "../wire/frames.ts"

/**
 * Turns the events of one reading into frames of `serialcast.v1`. A binary frame carries no epoch, so each change of
 * epoch is announced: after the gap that explains it, before the bytes that count in it.
 */
export function createEventEncoder(
  state: () => DeviceState | null,
): (event: StreamEvent) => (string | Uint8Array)[] {
  let epoch = ""

  function announceEpoch(event: StreamEvent): string[] {
    if (event.cursor.epoch === epoch) return []
    epoch = event.cursor.epoch
    return [encodeServerMessage({ type: "epoch", epoch, cursor: formatCursor(event.cursor) })]
  }

  return (event) => {
    const cursor = formatCursor(event.cursor)
    switch (event.kind) {
      case "positioned":
        epoch = event.cursor.epoch
        return [encodeServerMessage({ type: "open", epoch, cursor, state: state() })]
      case "gap":
        return [encodeServerMessage({ type: "gap", cursor, gap: event.gap }), ...announceEpoch(event)]
      case "mark": {
        const { timeUs, mark } = event
        return [...announceEpoch(event), encodeServerMessage({ type: "mark", cursor, timeUs, mark })]
      }
      case "bytes":
        return [...announceEpoch(event), encodeBytesFrame(event)]
    }
  }
}
