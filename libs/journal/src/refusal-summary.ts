import { type Clock, type MonotonicMs, msSince, type Timer } from "@serialcast/primitives"
import type { NewMark } from "./journal.ts"

type Refusal = Extract<NewMark, { kind: "refused" }>

// Often enough for whoever looks on, and too rarely to fill a journal.
const periodMs = 10_000
// Of each kind in that time: enough for all that people do by hand.
const maxListed = 8
// Callers that are refused at the same time. What is beyond is listed.
const maxKinds = 64

export interface RefusalSummaryDeps {
  readonly clock: Clock
  readonly mark: (refusal: Refusal) => void
}

interface Kind {
  readonly sinceMs: MonotonicMs
  listed: number
  /** Since the last one that is listed. */
  count: number
  newest: Refusal
}

/**
 * Counts refusals that are alike, of the same caller and for the same reason, beyond the first few: a program that writes to
 * a closed port again and again must not push out what is kept. Of a write that was begun nothing is left out.
 */
export class RefusalSummary {
  readonly #deps: RefusalSummaryDeps
  readonly #kinds = new Map<string, Kind>()
  #timer: Timer | null = null

  constructor(deps: RefusalSummaryDeps) {
    this.#deps = deps
  }

  /** False when the refusal is to be listed by itself. */
  take(mark: NewMark): boolean {
    if (mark.kind !== "refused" || mark.bytes > 0 || mark.count !== undefined) return false
    const kind = this.#kindOf(mark)
    if (kind === undefined || kind.listed < maxListed) {
      if (kind !== undefined) kind.listed++
      return false
    }
    kind.count++
    kind.newest = mark
    this.#timer ??= this.#deps.clock.startTimer(periodMs, () => this.flush())
    return true
  }

  /** Lists what was counted. */
  flush(): void {
    this.#timer?.cancel()
    this.#timer = null
    const kinds = [...this.#kinds.values()]
    this.#kinds.clear()
    for (const { count, newest } of kinds) if (count > 0) this.#deps.mark({ ...newest, count })
  }

  /** undefined when there are too many. */
  #kindOf(mark: Refusal): Kind | undefined {
    const key = JSON.stringify([mark.code, mark.by])
    const known = this.#kinds.get(key)
    const isOver =
      known !== undefined && known.count === 0 && msSince(this.#deps.clock, known.sinceMs) >= periodMs
    if (known !== undefined && !isOver) return known
    if (!isOver && this.#kinds.size >= maxKinds) this.#forgetOver()
    if (this.#kinds.size >= maxKinds) return undefined
    const kind = { sinceMs: this.#deps.clock.monotonicMs(), listed: 0, count: 0, newest: mark }
    this.#kinds.set(key, kind)
    return kind
  }

  #forgetOver(): void {
    for (const [key, { sinceMs, count }] of this.#kinds)
      if (count === 0 && msSince(this.#deps.clock, sinceMs) >= periodMs) this.#kinds.delete(key)
  }
}
