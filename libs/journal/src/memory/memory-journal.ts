import type { Mark, StreamName } from "@serialcast/contract"
import { type Clock, createWakeup } from "@serialcast/primitives"
import { RecordRing } from "@serialcast/records"
import type { Journal, NewMark } from "../journal.ts"
import { makePage } from "../page/make-page.ts"
import { RefusalSummary } from "../refusal-summary.ts"
import { Tally } from "../tally.ts"

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
  const put = (stream: StreamName, mark: NewMark) => {
    const ring = rings[stream]
    const timeUs = clock.nowUs()
    ring.append({ offset: ring.head.offset, timeUs, mark: numbered(mark, ring.head.mark) })
    news[stream].wake()
    return timeUs
  }
  const refusals = new RefusalSummary({ clock, mark: (refusal) => void put("tx", refusal) })
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
      if (mark.kind === "opened") opens = mark.open
      tally.mark(mark)
      return refusals.take(mark) ? clock.nowUs() : put(stream, mark)
    },
    extent: (stream) => ({ oldest: rings[stream].start.offset, head: rings[stream].head.offset }),
    place: (stream) => rings[stream].head,
    settled: () => null,
    head: (stream) => rings[stream].head,
    oldest: (stream) => rings[stream].start,
    began: () => start,
    // All that there is is in memory.
    want: () => {},
    read: (stream, position, maxBytes) => rings[stream].read(position, maxBytes),
    page: (stream, from, maxBytes) =>
      makePage({ epoch, ring: rings[stream], shown: rings[stream].head, older: [] }, from, maxBytes),
    close: async () => refusals.flush(),
  }
}

function numbered(mark: NewMark, n: number): Mark {
  return { n, ...mark }
}
