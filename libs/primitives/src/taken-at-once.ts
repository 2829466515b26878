import type { Clock } from "./clock.ts"
import { longAgo, msSince } from "./monotonic.ts"

/**
 * What one client may take without a pause, in bytes. The system takes megabytes for each at once, and what is kept is there
 * at once, so that others need their turn in between.
 */
const mostAtOnce = 64 * 1024
/** What comes later is not at once, in milliseconds: a live stream leaves others their turns by itself. */
const onceMs = 100

/** Counts what one client takes at once, so that it pauses for others when that is much. */
export class TakenAtOnce {
  readonly #clock: Clock
  #bytes = 0
  #sinceMs = longAgo

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether others are to have their turn before it takes more. */
  add(bytes: number): boolean {
    if (msSince(this.#clock, this.#sinceMs) > onceMs) this.paused()
    this.#bytes += bytes
    if (this.#bytes < mostAtOnce) return false
    this.paused()
    return true
  }

  /** It waits for something else, so others have their turns: what comes then counts anew. */
  paused(): void {
    this.#bytes = 0
    this.#sinceMs = this.#clock.monotonicMs()
  }
}
