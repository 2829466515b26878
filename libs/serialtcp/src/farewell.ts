/*
 * The far end's disconnects, the first one included, before another code came.
 *
 *   disconnects   what happens                  what it was
 *   -----------   ---------------------------   -----------------------------------------------------------------------
 *   any           a disconnect                  not known yet: one more
 *   3             its question                  an orderly end
 *   1, 2, 4 …     its question                  none: a round, lost bytes, or a stop and a round
 *   any           another code                  none: lost bytes
 *   any           `waitMs` since the first      none: a stop, or an end that died
 */
import { after, type MonotonicMs } from "@serialcast/primitives"
import { codes } from "./codes.ts"

/** By itself when its TCP side has ended, and twice with the round that it begins then. */
const orderlyDisconnects = 3
/** All of them follow each other at once. */
const waitMs = 500

/**
 * What the far end meant by its disconnect. The existing program says three of them and then its question when its TCP
 * side has ended in order. One that was killed and started again, that has lost bytes, or whose TCP side was reset says
 * only the two that every round begins with; one of these here that was stopped says three, and no question.
 */
export class Farewell {
  /** When it was no orderly end, because nothing came. */
  readonly deadlineMs: MonotonicMs
  readonly #question: number
  #disconnects = 1

  /** The first disconnect came. `question`: the code with which the far end begins a round. */
  constructor(question: number, nowMs: MonotonicMs) {
    this.#question = question
    this.deadlineMs = after(nowMs, waitMs)
  }

  /** The next code came. Whether it was an orderly end; null: that is not known yet. */
  receive(code: number): boolean | null {
    if (code !== codes.disconnect) return code === this.#question && this.#disconnects === orderlyDisconnects
    this.#disconnects += 1
    return null
  }
}
