import type { Cursor } from "@serialcast/contract"
import type { Device, StreamEvent } from "@serialcast/device-stream"

type Read = Pick<Device, "read">

/** The same device, whose readings end `count` bytes after the place where the first of them starts, cut off there. */
export function takeBytes(device: Read, count: number): Read {
  let start: Cursor | null = null
  return {
    async *read(options): AsyncGenerator<StreamEvent, void, undefined> {
      let left = count
      for await (const event of device.read(options)) {
        if (event.kind === "positioned") start ??= event.cursor
        if (event.kind !== "bytes") {
          yield event
          continue
        }
        const before = bytesBefore(start, event)
        const bytes = event.bytes.subarray(0, before + left)
        left -= Math.max(0, bytes.byteLength - before)
        const isWhole = bytes.byteLength === event.bytes.byteLength
        const cut = { ...event.cursor, offset: event.offset + bytes.byteLength, mark: 0 }
        yield isWhole ? event : { ...event, bytes, cursor: cut }
        if (left === 0) return
      }
    },
  }
}

/** How many bytes of an event are before the start. */
function bytesBefore(start: Cursor | null, event: Extract<StreamEvent, { kind: "bytes" }>): number {
  return start?.epoch === event.cursor.epoch ? Math.max(0, start.offset - event.offset) : 0
}

/** Each read of the port as an event of its own, with its time. */
export async function* byRead(
  events: AsyncIterable<StreamEvent>,
): AsyncGenerator<StreamEvent, void, undefined> {
  for await (const event of events) {
    if (event.kind === "bytes") yield* readsOf(event)
    else yield event
  }
}

function* readsOf(event: Extract<StreamEvent, { kind: "bytes" }>): Generator<StreamEvent> {
  const { reads, ...whole } = event
  const starts = [{ offset: event.offset, timeUs: event.timeUs }, ...(reads ?? [])]
  const endOfAll = event.offset + event.bytes.byteLength
  for (const [n, { offset, timeUs }] of starts.entries()) {
    // Of bytes that were cut off, the reads are still told.
    const end = Math.min(endOfAll, starts[n + 1]?.offset ?? endOfAll)
    const bytes = event.bytes.subarray(offset - event.offset, end - event.offset)
    const cursor = { ...event.cursor, offset: end, mark: 0 }
    if (bytes.byteLength > 0) yield { ...whole, offset, timeUs, bytes, cursor }
  }
}
