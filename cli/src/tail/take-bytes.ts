import type { StreamEvent } from "@serialcast/device-stream"

/** The events up to `count` bytes, the last ones cut off there. */
export async function* takeBytes(
  events: AsyncIterable<StreamEvent>,
  count: number,
): AsyncGenerator<StreamEvent, void, undefined> {
  let left = count
  for await (const event of events) {
    if (event.kind !== "bytes") {
      yield event
      continue
    }
    const bytes = event.bytes.subarray(0, left)
    left -= bytes.byteLength
    const isWhole = bytes.byteLength === event.bytes.byteLength
    const cut = { ...event.cursor, offset: event.offset + bytes.byteLength, mark: 0 }
    yield isWhole ? event : { ...event, bytes, cursor: cut }
    if (left === 0) return
  }
}
