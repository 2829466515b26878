import { AppError, type Framing, isMarkRecord, maxChunkBytes, type StreamRecord } from "@serialcast/contract"
import { createFramer, type Framer, lookBackBytes } from "@serialcast/framing"
import type { Journal } from "@serialcast/journal"
import { type Clock, withDeadline } from "@serialcast/primitives"
import { comparePositions, endOf, type Position } from "@serialcast/records"

// An agent that starts has more to do than to wait for a disk that hangs.
const pageTimeoutMs = 2_000

export interface ResumeDeps {
  readonly framing: Framing
  readonly journal: Journal
  /** Where the port was opened for what comes now; undefined when that is not known. */
  readonly anchorAt: () => number | undefined
  readonly clock: Clock
}

/**
 * A framer that goes on at `start`, where an earlier process left the stream: it knows whether the last message was cut there,
 * since then what is read next may be its rest. Frames that end up to `start` are not for it to tell.
 */
export async function resumeFramer(start: Position, deps: ResumeDeps): Promise<Framer> {
  const { framing, anchorAt } = deps
  const back = framing.type === "fixed" ? 0 : Math.min(start.offset, lookBackBytes(framing))
  const framer = createFramer(framing, { startsInside: back < start.offset, anchorAt })
  try {
    await readUpTo(start, start.offset - back, framer, deps)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    // What cannot be read now may have been the begin of a message.
    framer.flush({ kind: "lost" })
  }
  framer.skipTo(start.offset)
  return framer
}

async function readUpTo(
  start: Position,
  first: number,
  framer: Framer,
  { journal, clock }: ResumeDeps,
): Promise<void> {
  const error = () => new AppError("no_reply", `The disk did not answer within ${pageTimeoutMs} ms.`)
  for (let at: Position = { offset: first, mark: 0 }; comparePositions(at, start) < 0; ) {
    const from = { kind: "cursor", cursor: { epoch: journal.epoch, ...at } } as const
    const reading = journal.page("rx", from, maxChunkBytes)
    const { gap, records } = await withDeadline(reading, { clock, timeoutMs: pageTimeoutMs, error })
    const last = records.at(-1)
    if (last === undefined) return
    if (gap !== null) framer.flush({ kind: "lost" })
    for (const record of records) take(record, start, framer)
    at = endOf(last)
  }
}

/** What of a record is before `start`. */
function take(record: StreamRecord, start: Position, framer: Framer): void {
  if (!isMarkRecord(record))
    framer.push(record.bytes.subarray(0, Math.max(0, start.offset - record.offset)), record)
  else if (comparePositions(endOf(record), start) <= 0) framer.mark(record)
}
