import { type Cursor, type DeviceState, formatCursor, type Mark, type StartPoint } from "@serialcast/contract"
import { comparePositions, endOf, type Position, RecordRing } from "@serialcast/records"
import { createDeviceState } from "@serialcast/testkit"
import type { Device } from "../device.ts"
import { eventsOf } from "../read/record-events.ts"
import type { StreamEvent } from "../read/stream-event.ts"

export const recordedEpoch = "00000000000000aa"

/** What a device sent, or a mark; each comes `afterMs` after the one before, 1 ms if it does not say. */
export type Recorded = { readonly afterMs?: number } & (
  | { readonly text: string }
  | { readonly mark: "opened" | "closed" | "overrun" | "leased" }
)

export interface RecordedDevice extends Pick<Device, "read"> {
  readonly state: DeviceState
}

/** A device whose stream is over: readers get all that is kept from their place on, and then the end. */
export function recordDevice(
  recorded: readonly Recorded[],
  changes: Partial<DeviceState> = {},
  { capacityBytes = 1_000_000, pageBytes = 7 } = {},
): RecordedDevice {
  const ring = new RecordRing(capacityBytes, { offset: 0, mark: 0 })
  let timeUs = 0
  let open = 0
  let openedAt: number | undefined
  for (const one of recorded) {
    timeUs += (one.afterMs ?? 1) * 1000
    const { offset, mark: n } = ring.head
    if ("text" in one) {
      ring.append({ offset, timeUs, bytes: Uint8Array.from(one.text, (unit) => unit.charCodeAt(0)) })
      continue
    }
    if (one.mark === "opened") {
      open++
      openedAt = offset
    }
    ring.append({ offset, timeUs, mark: markOf(one.mark, n, open) })
  }
  return {
    state: createDeviceState({ epoch: recordedEpoch, openedAt, ...changes }),
    async *read({ from = { kind: "now" } }) {
      const start = from.kind === "cursor" ? from.cursor : { epoch: recordedEpoch, ...placeOf(from, ring) }
      yield { kind: "positioned", cursor: start }
      yield* eventsFrom(ring, start, pageBytes)
    },
  }
}

function markOf(kind: "opened" | "closed" | "overrun" | "leased", n: number, open: number): Mark {
  switch (kind) {
    case "opened":
      return { n, kind, open }
    case "closed":
      return { n, kind, reason: "unplugged" }
    case "overrun":
      return { n, kind }
    case "leased":
      return { n, kind, holder: "me" }
  }
}

function placeOf(from: Exclude<StartPoint, { kind: "cursor" }>, ring: RecordRing): Position {
  switch (from.kind) {
    case "last":
      return { offset: Math.max(ring.start.offset, ring.head.offset - from.bytes), mark: 0 }
    case "start":
      return ring.start
    case "now":
    case "time":
      return ring.head
  }
}

function* eventsFrom(ring: RecordRing, start: Cursor, pageBytes: number): Generator<StreamEvent> {
  let at: Position = start
  const isGone = start.epoch !== recordedEpoch
  if (isGone || comparePositions(ring.start, at) > 0) {
    const cursor = { epoch: recordedEpoch, ...ring.start }
    const bytes = isGone ? null : ring.start.offset - at.offset
    const gap = { from: formatCursor(start), to: formatCursor(cursor), bytes, reason: "evicted" } as const
    yield { kind: "gap", cursor, gap }
    at = ring.start
  }
  while (comparePositions(at, ring.head) < 0) {
    for (const record of ring.read(at, pageBytes)) {
      for (const event of eventsOf(recordedEpoch, record)) yield event
      at = endOf(record)
    }
  }
}
