import type { Mark } from "@serialcast/contract"
import { RecordRing } from "@serialcast/device-stream"
import { type Clock, createWakeup } from "@serialcast/primitives"
import type { Journal, NewMark } from "./journal.ts"
import { makePage } from "./make-page.ts"
import { Tally } from "./tally.ts"

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
  const tally = new Tally()
  let opens = 0
  return {
    epoch,
    news,
    get opens() {
      return opens
    },
    get counts() {
      return tally.counts(0)
    },
    health: { bytes: 0, problem: null },
    writes: [],
    append(stream, bytes) {
      const ring = rings[stream]
      tally.append(stream, bytes)
      ring.append({ offset: ring.head.offset, timeUs: clock.nowUs(), bytes })
      news[stream].wake()
    },
    mark(stream, mark) {
      const ring = rings[stream]
      if (mark.kind === "opened") opens = mark.open
      tally.mark(mark)
      const timeUs = clock.nowUs()
      ring.append({ offset: ring.head.offset, timeUs, mark: numbered(mark, ring.head.mark) })
      news[stream].wake()
      return timeUs
    },
    extent: (stream) => ({ oldest: rings[stream].start.offset, head: rings[stream].head.offset }),
    place: (stream) => rings[stream].head,
    settled: async () => {},
    head: (stream) => rings[stream].head,
    oldest: (stream) => rings[stream].start,
    read: (stream, position, maxBytes) => rings[stream].read(position, maxBytes),
    page: (stream, from, maxBytes) => makePage({ epoch, ring: rings[stream], older: [] }, from, maxBytes),
    close: async () => {},
  }
}

function numbered(mark: NewMark, n: number): Mark {
  return { n, ...mark }
}
