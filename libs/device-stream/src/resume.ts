import {
  AppError,
  type Cursor,
  formatCursor,
  formatStartPoint,
  type HistoryPage,
  isMarkRecord,
  maxChunkBytes,
  parseCursor,
  type StartPoint,
  type StreamRecord,
  silenceMs,
} from "@serialcast/contract"
import type { LiveView } from "./live-window.ts"
import { after, comparePositions, endOf, joins } from "./position.ts"
import type { StreamEvent } from "./stream-event.ts"

const retryMs = 1_000

/** How long a reader may be left without its first event: what waits for it are heads of HTTP responses. */
const openTimeoutMs = 1_000

/** What one reader is to do next. */
export type Step =
  | { readonly kind: "deliver"; readonly events: readonly StreamEvent[] }
  /** Ask the journal for its page from this start point, and tell `answered`: null after `timeoutMs`, if there is one. */
  | { readonly kind: "ask"; readonly from: string; readonly timeoutMs: number | null }
  /** Wait for news, or until none came for this long, and tell `resumed`. */
  | { readonly kind: "wait"; readonly timeoutMs: number }
  /** Wait this long, whatever comes in, and tell `resumed`. */
  | { readonly kind: "pause"; readonly ms: number }

/**
 * The decisions of one reader, without its waiting: it holds the cursor and takes what joins on there, from the live
 * window while that covers the cursor, else from the journal. Every offset and mark is delivered once and in order, or
 * the gap that the journal tells.
 */
export class Resume {
  readonly #from: StartPoint
  /** After all that was delivered; null until the start is found. */
  #cursor: Cursor | null = null
  #isOpen = false
  /** Taken from a page and not delivered yet. */
  #events: readonly StreamEvent[] = []
  /** What the journal said since something changed: nothing new, or nothing at all. */
  #journal: "unasked" | "exhausted" | "away" = "unasked"
  #isSilent = false

  constructor(from: StartPoint) {
    this.#from = from
  }

  next(live: LiveView | null): Step {
    if (this.#events.length > 0) return this.#deliver(this.#events)
    const fresh = this.#cursor === null ? null : readLive(live, this.#cursor)
    if (fresh !== null && fresh.length > 0) {
      this.#journal = "unasked"
      return this.#deliver(fresh)
    }
    const isLive = fresh !== null
    if (this.#journal === "unasked" && (!isLive || this.#isSilent)) {
      return {
        kind: "ask",
        from: this.#cursor === null ? formatStartPoint(this.#from) : formatCursor(this.#cursor),
        timeoutMs: this.#isOpen ? null : openTimeoutMs,
      }
    }
    if (this.#journal === "away" && !isLive) return { kind: "pause", ms: retryMs }
    return { kind: "wait", timeoutMs: silenceMs }
  }

  /**
   * The page that was asked for; null when the agent does not answer, which may be told before anything was asked.
   * Throws `bad_message` when the page has a hole.
   */
  answered(page: HistoryPage | null): void {
    this.#isSilent = false
    if (this.#cursor === null) this.#open(page)
    else if (page !== null) this.#events = takePage(page, this.#cursor)
    if (page === null) this.#journal = "away"
    else this.#journal = this.#events.length > 0 ? "unasked" : "exhausted"
  }

  /** After a wait or a pause. `isSilent`: nothing came in, so something may have been lost. */
  resumed(isSilent: boolean): void {
    this.#journal = "unasked"
    this.#isSilent = isSilent
  }

  /** Only the agent can tell a place, unless a cursor names it: the newest state may be as old as the last change. */
  #open(page: HistoryPage | null): void {
    const asked = this.#from.kind === "cursor" ? this.#from.cursor : null
    const place = asked ?? (page === null ? null : needCursor(page.gap?.from ?? page.first))
    if (place === null && this.#isOpen) return
    const events = page === null || place === null ? [] : takePage(page, place)
    this.#events = [{ kind: "positioned", cursor: place }, ...events]
    this.#cursor = place
    this.#isOpen = true
  }

  #deliver(events: readonly StreamEvent[]): Step {
    this.#cursor = events.at(-1)?.cursor ?? this.#cursor
    this.#events = []
    return { kind: "deliver", events }
  }
}

/** null when the window cannot serve `cursor`; empty when the reader has all that came in. */
function readLive(live: LiveView | null, cursor: Cursor): StreamEvent[] | null {
  if (live === null || live.epoch !== cursor.epoch) return null
  const { ring } = live
  if (comparePositions(cursor, ring.start) < 0 || comparePositions(cursor, ring.head) > 0) return null
  return ring.read(cursor, maxChunkBytes).map((record) => recordEvent(live.epoch, record))
}

/** What a reader at `cursor` gets from `page`. Throws `bad_message` where it does not join on. */
function takePage(page: HistoryPage, cursor: Cursor): StreamEvent[] {
  const first = needCursor(page.first)
  const events: StreamEvent[] = []
  let at = cursor
  if (page.gap !== null && isAhead(first, cursor)) {
    events.push({ kind: "gap", cursor: first, gap: page.gap })
    at = first
  }
  if (isAhead(first, at)) throw holeAfter(at)
  for (const record of page.records) {
    const rest = after(at, record)
    if (rest === undefined) continue
    if (!joins(at, rest)) throw holeAfter(at)
    const event = recordEvent(at.epoch, rest)
    events.push(event)
    at = event.cursor
  }
  return events
}

function isAhead(place: Cursor, cursor: Cursor): boolean {
  return place.epoch !== cursor.epoch || comparePositions(place, cursor) > 0
}

function recordEvent(epoch: string, record: StreamRecord): Extract<StreamEvent, { kind: "bytes" | "mark" }> {
  const cursor = { epoch, ...endOf(record) }
  const { offset, timeUs } = record
  if (isMarkRecord(record)) return { kind: "mark", cursor, timeUs, mark: record.mark }
  return { kind: "bytes", cursor, offset, timeUs, bytes: record.bytes }
}

function needCursor(text: string): Cursor {
  const cursor = parseCursor(text)
  if (cursor === undefined)
    throw new AppError("bad_message", `The agent answered ${JSON.stringify(text)} as a cursor.`)
  return cursor
}

function holeAfter(cursor: Cursor): AppError {
  return new AppError("bad_message", `The agent's page leaves something out after ${formatCursor(cursor)}.`)
}
