import { after, type MonotonicMs } from "@serialcast/primitives"
import { codes } from "./codes.ts"

/** By itself when its TCP side has ended, and twice with the round that it begins then. */
const orderlyDisconnects = 3
/** All of them follow each other at once. */
const waitMs = 500

/**
 * What the far end meant by its disconnect. The existing program says three of them and then its question when its TCP
 * side has ended in order. One that was killed and started again, that has lost bytes, or whose TCP side was reset says
 * only the two that every round begins with; one that was stopped says no question.
 */
export class Farewell {
  /** When it was no orderly end, because nothing came. */
  readonly deadlineMs: MonotonicMs
  #disconnects = 1

  /** The first disconnect came. */
  constructor(nowMs: MonotonicMs) {
    this.deadlineMs = after(nowMs, waitMs)
  }

  /** The next code came. Whether it was an orderly end; null: that is not known yet. */
  receive(code: number): boolean | null {
    if (code !== codes.disconnect) return this.#disconnects === orderlyDisconnects
    this.#disconnects += 1
    return null
  }
}
