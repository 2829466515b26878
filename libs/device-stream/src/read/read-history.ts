import type { Cursor, StartPoint, StreamName } from "@serialcast/contract"
import { unlessAborted } from "@serialcast/primitives"
import { chunkUntil, comparePositions, type Position } from "@serialcast/records"
import type { History } from "./history.ts"
import { Resume } from "./resume.ts"
import type { StreamEvent } from "./stream-event.ts"

export interface ReadHistoryOptions {
  readonly history: History
  readonly stream: StreamName
  readonly from: StartPoint
  readonly to: StartPoint
  readonly signal: AbortSignal
}

/** Reads what is kept from one place to another, and ends there, or at the head when that comes first. */
export async function* readHistory(
  options: ReadHistoryOptions,
): AsyncGenerator<StreamEvent, void, undefined> {
  const { history, stream, from, to, signal } = options
  const end =
    to.kind === "cursor" ? to.cursor : (await unlessAborted(history.page(stream, to), signal))?.asked
  const resume = new Resume(from)
  let epoch: string | undefined
  while (end !== undefined && !signal.aborted) {
    const step = resume.next(null)
    if (step.kind === "ask") {
      const page = await unlessAborted(history.page(stream, step.from), signal)
      if (page === undefined) return
      resume.answered(page)
      continue
    }
    if (step.kind !== "deliver") return
    for (const whole of step.events) {
      const event = cutAt(end, whole)
      if (event === null || signal.aborted) return
      yield event
      if (epoch === end.epoch && event.cursor?.epoch !== epoch) return
      epoch = event.cursor?.epoch
      if (epoch === end.epoch && isAtOrBeyond(event.cursor, end)) return
    }
  }
}

/** The part of `event` before `end`; null when there is none. */
function cutAt(end: Cursor, event: StreamEvent): StreamEvent | null {
  if (event.kind !== "bytes" && event.kind !== "mark") return event
  if (event.cursor.epoch !== end.epoch || comparePositions(event.cursor, end) <= 0) return event
  if (event.kind === "mark" || event.offset >= end.offset) return null
  const { reads: _, ...whole } = event
  return { ...whole, ...chunkUntil(event, end.offset), cursor: { ...end, mark: 0 } }
}

function isAtOrBeyond(place: Position | null, end: Position): boolean {
  return place !== null && comparePositions(place, end) >= 0
}
