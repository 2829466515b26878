import {
  AppError,
  type Cursor,
  formatCursor,
  type Gap,
  type StartPoint,
  unheardMs,
} from "@serialcast/contract"
import { after, comparePositions, endOf, joins } from "@serialcast/records"
import type { LiveView } from "./live-view.ts"
import type { Page } from "./page.ts"
import { eventsOf } from "./record-events.ts"
import type { StreamEvent } from "./stream-event.ts"

const retryMs = 1_000

/** How long a reader may be left without its first event: what waits for it are heads of HTTP responses. */
const openTimeoutMs = 1_000

/** What one reader is to do next. */
export type Step =
  | { readonly kind: "deliver"; readonly events: readonly StreamEvent[] }
  /**
   * Ask the journal for a page that goes on from here, and tell `answered`: null after `timeoutMs`, if there is one.
   */
  | { readonly kind: "ask"; readonly from: StartPoint; readonly timeoutMs: number | null }
  /**
   * Wait for news, or until none came for this long, and tell `resumed`. `quietUs`: up to then there is no more; null: nobody
   * told so yet.
   */
  | { readonly kind: "wait"; readonly timeoutMs: number; readonly quietUs: number | null }
  /** Wait until the agent is back, or this long, whatever comes in, and tell `resumed`. */
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
  /**
   * What the journal said since something changed. `read`: all that there was when it answered, which may be less than
   * the window tells of by now; then it is asked once more. `exhausted`: nothing more, whatever the window tells of.
   */
  #journal: "unasked" | "read" | "exhausted" | "away" = "unasked"
  #isSilent = false

  constructor(from: StartPoint) {
    this.#from = from
  }

  next(live: LiveView | null): Step {
    // A cursor that the window covers is a place: nobody needs to be asked.
    if (this.#cursor === null && this.#from.kind === "cursor" && covers(live, this.#from.cursor))
      this.#open(null)
    if (this.#events.length > 0) return this.#deliver(this.#events)
    const fresh = this.#cursor === null ? null : readLive(live, this.#cursor)
    if (fresh !== null && fresh.length > 0) {
      this.#journal = "unasked"
      return this.#deliver(fresh)
    }
    const isLive = fresh !== null
    if (this.#isToAsk(live, isLive)) {
      const from: StartPoint = this.#cursor === null ? this.#from : { kind: "cursor", cursor: this.#cursor }
      return { kind: "ask", from, timeoutMs: this.#isOpen ? null : openTimeoutMs }
    }
    if (this.#journal === "away" && !isLive) return { kind: "pause", ms: retryMs }
    const quietUs = isLive && this.#cursor !== null ? (live?.quietUs(this.#cursor) ?? null) : null
    return { kind: "wait", timeoutMs: unheardMs, quietUs }
  }

  /**
   * The page that was asked for; null when the agent does not answer, which may be told before anything was asked.
   * Throws `bad_message` when the page has a hole.
   */
  answered(page: Page | null): void {
    this.#isSilent = false
    let taken: readonly StreamEvent[] = []
    if (this.#cursor === null) taken = this.#open(page)
    else if (page !== null) this.#events = taken = takePage(page, this.#cursor)
    if (page === null) this.#journal = "away"
    else if (taken.length > 0) this.#journal = page.isLast ? "read" : "unasked"
    else this.#journal = this.#journal === "read" ? "exhausted" : "read"
  }

  /** After a wait or a pause. `isSilent`: nothing came in, so something may have been lost. */
  resumed(isSilent: boolean): void {
    this.#journal = "unasked"
    this.#isSilent = isSilent
  }

  #isToAsk(live: LiveView | null, isLive: boolean): boolean {
    if (this.#journal === "unasked") return !isLive || this.#isSilent
    return this.#journal === "read" && this.#cursor !== null && isBehind(this.#cursor, live)
  }

  /**
   * Answers what the page has for the place. Only the agent can tell a place, unless a cursor names it: the newest state
   * may be as old as the last change.
   */
  #open(page: Page | null): readonly StreamEvent[] {
    const place = this.#from.kind === "cursor" ? this.#from.cursor : (page?.asked ?? null)
    if (place === null && this.#isOpen) return []
    const taken = page === null || place === null ? [] : takePage(page, place)
    this.#events = [{ kind: "positioned", cursor: place }, ...taken]
    this.#cursor = place
    this.#isOpen = true
    return taken
  }

  #deliver(events: readonly StreamEvent[]): Step {
    this.#cursor = events.at(-1)?.cursor ?? this.#cursor
    this.#events = []
    return { kind: "deliver", events }
  }
}

function covers(live: LiveView | null, cursor: Cursor): live is LiveView {
  if (live === null || live.epoch !== cursor.epoch) return false
  return comparePositions(cursor, live.ring.start) >= 0 && comparePositions(cursor, live.ring.head) <= 0
}

/** Whether the window tells of more than a reader at `cursor` has. */
function isBehind(cursor: Cursor, live: LiveView | null): boolean {
  if (live === null) return false
  return live.epoch !== cursor.epoch || comparePositions(cursor, live.ring.head) < 0
}

/** null when the window cannot serve `cursor`; empty when the reader has all that came in. */
function readLive(live: LiveView | null, cursor: Cursor): readonly StreamEvent[] | null {
  return covers(live, cursor) ? live.read(cursor) : null
}

/** What a reader at `cursor` gets from `page`. Throws `bad_message` where it does not join on. */
function takePage({ gap, first, records }: Page, cursor: Cursor): StreamEvent[] {
  const events: StreamEvent[] = []
  let at = cursor
  if (gap !== null && isAhead(first, cursor)) {
    events.push({ kind: "gap", cursor: first, gap: gapAt(cursor, first, gap) })
    at = first
  }
  if (isAhead(first, at)) throw holeAfter(at)
  for (const record of records) {
    const rest = after(at, record)
    if (rest === undefined) continue
    if (!joins(at, rest)) throw holeAfter(at)
    events.push(...eventsOf(at.epoch, rest))
    at = { epoch: at.epoch, ...endOf(rest) }
  }
  return events
}

function isAhead(place: Cursor, cursor: Cursor): boolean {
  return place.epoch !== cursor.epoch || comparePositions(place, cursor) > 0
}

/** The part of a page's gap that is after `cursor`: the page may have been asked for by one who stood before. */
function gapAt(cursor: Cursor, first: Cursor, { bytes, reason }: Gap): Gap {
  const isKnown = bytes !== null && first.epoch === cursor.epoch
  return {
    from: formatCursor(cursor),
    to: formatCursor(first),
    bytes: isKnown ? first.offset - cursor.offset : null,
    reason,
  }
}

function holeAfter(cursor: Cursor): AppError {
  return new AppError("bad_message", `The agent's page leaves something out after ${formatCursor(cursor)}.`)
}
