import {
  AppError,
  type Cursor,
  type Gap,
  type HistoryPage,
  parseCursor,
  type StreamRecord,
} from "@serialcast/contract"
import { comparePositions } from "@serialcast/records"

/** A page of the journal, with its places as cursors. */
export interface Page {
  /** The cursor that it was asked for; of another start point, the place that the agent found. */
  readonly asked: Cursor
  /** What is missing between `asked` and `first`. */
  readonly gap: Gap | null
  readonly first: Cursor
  readonly records: readonly StreamRecord[]
  /** After the last record. */
  readonly next: Cursor
  /** The stream's head when the page was made. */
  readonly head: Cursor
  /** Nothing came after it when it was made. */
  readonly isLast: boolean
}

/** Throws `bad_message` when a place of the page is none. */
export function parsePage(page: HistoryPage, asked?: Cursor): Page {
  const { gap, records } = page
  return {
    asked: asked ?? needCursor(gap?.from ?? page.first),
    gap,
    first: needCursor(page.first),
    records,
    next: needCursor(page.next),
    head: needCursor(page.head),
    isLast: page.next === page.head,
  }
}

/** Whether a reader at `cursor` gets from `page` what it would get from one that it asked for itself. */
export function serves(page: Page, cursor: Cursor): boolean {
  const { asked, first, next, isLast } = page
  if (asked.epoch !== cursor.epoch) return false
  const beyondAsked = comparePositions(cursor, asked)
  if (beyondAsked <= 0) return beyondAsked === 0
  // What leads to another epoch only holds for the place that it was asked for: `cursor` may be no place at all.
  if (first.epoch !== cursor.epoch) return false
  const beyondNext = comparePositions(cursor, next)
  return beyondNext < 0 || (beyondNext === 0 && isLast)
}

function needCursor(text: string): Cursor {
  const cursor = parseCursor(text)
  if (cursor === undefined)
    throw new AppError("bad_message", `The agent answered ${JSON.stringify(text)} as a cursor.`)
  return cursor
}
