import {
  AppError,
  type Cursor,
  formatCursor,
  type Gap,
  type HistoryPage,
  type Mark,
  type StartPoint,
  type StreamName,
} from "@serialcast/contract"
import { comparePositions, endOf, type Position, RecordRing } from "@serialcast/device-stream"
import { type Clock, createWakeup } from "@serialcast/primitives"
import type { Journal, NewMark } from "./journal.ts"

/** What a device keeps of each direction. A ring in memory: it ends, and its epoch with it, when the process does. */
const capacityBytes = 16 * 1024 * 1024

export interface MemoryJournalDeps {
  readonly clock: Clock
  readonly createEpoch: () => string
}

export function createMemoryJournal({ clock, createEpoch }: MemoryJournalDeps): Journal {
  const epoch = createEpoch()
  const news = { rx: createWakeup(), tx: createWakeup() }
  const start = { offset: 0, mark: 0 }
  const rings = { rx: new RecordRing(capacityBytes, start), tx: new RecordRing(capacityBytes, start) }
  return {
    epoch,
    news,
    append(stream, bytes) {
      const ring = rings[stream]
      ring.append({ offset: ring.head.offset, timeUs: clock.nowUs(), bytes })
      news[stream].wake()
    },
    mark(stream, mark) {
      const ring = rings[stream]
      ring.append({ offset: ring.head.offset, timeUs: clock.nowUs(), mark: numbered(mark, ring.head.mark) })
      news[stream].wake()
    },
    extent: (stream) => ({ oldest: rings[stream].start.offset, head: rings[stream].head.offset }),
    head: (stream) => rings[stream].head,
    oldest: (stream) => rings[stream].start,
    read: (stream, position, maxBytes) => rings[stream].read(position, maxBytes),
    page: (stream: StreamName, from: StartPoint, maxBytes: number) =>
      makePage(epoch, rings[stream], from, maxBytes),
  }
}

function numbered(mark: NewMark, n: number): Mark {
  return { n, ...mark }
}

function makePage(epoch: string, ring: RecordRing, from: StartPoint, maxBytes: number): HistoryPage {
  const cursorAt = (position: Position) => formatCursor({ epoch, ...position })
  const asked = resolve(epoch, ring, from)
  const gap = findGap(epoch, ring, asked)
  const first = gap === null ? asked : ring.start
  const records = from.kind === "now" ? [] : ring.read(first, maxBytes)
  const last = records.at(-1)
  return {
    gap,
    first: cursorAt(first),
    records,
    next: cursorAt(last === undefined ? first : endOf(last)),
    head: cursorAt(ring.head),
  }
}

function resolve(epoch: string, ring: RecordRing, from: StartPoint): Cursor {
  switch (from.kind) {
    case "now":
      return { epoch, ...ring.head }
    case "start":
      return { epoch, ...ring.start }
    case "last": {
      const wanted = { offset: Math.max(0, ring.head.offset - from.bytes), mark: 0 }
      return { epoch, ...(comparePositions(wanted, ring.start) < 0 ? ring.start : wanted) }
    }
    case "time":
      return { epoch, ...ring.findTime(from.timeUs) }
    case "cursor":
      return from.cursor
  }
}

/** What a reader at `asked` cannot have any more; null when everything from there on is kept. */
function findGap(epoch: string, ring: RecordRing, asked: Cursor): Gap | null {
  const to = formatCursor({ epoch, ...ring.start })
  const from = formatCursor(asked)
  // Bytes of an epoch that this journal does not keep: nobody knows how many there were.
  if (asked.epoch !== epoch) return { from, to, bytes: null, reason: "evicted" }
  if (comparePositions(asked, ring.head) > 0) {
    const head = formatCursor({ epoch, ...ring.head })
    throw new AppError("bad_cursor", `${from} is beyond the head of the stream, ${head}.`)
  }
  if (comparePositions(asked, ring.start) >= 0) return null
  return { from, to, bytes: ring.start.offset - asked.offset, reason: "evicted" }
}
