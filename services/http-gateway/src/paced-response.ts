import { once } from "node:events"
import type { ServerResponse } from "node:http"
import { type Clock, type LoopTurns, longAgo, msSince } from "@serialcast/primitives"

export interface Pace {
  readonly clock: Clock
  /** A client that takes nothing for this long is cut off. */
  readonly stallMs: number
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal
  readonly turns: LoopTurns
}

/**
 * What one client may take without a pause, in bytes. The system takes megabytes for each at once, and what is kept is there
 * at once, so that others need their turn in between.
 */
const mostAtOnce = 64 * 1024
/** What comes later is not at once, in milliseconds: a live stream leaves others their turns by itself. */
const onceMs = 100

/** A response that is written part by part, at its client's pace and in its turn. */
export class PacedResponse {
  readonly #response: ServerResponse
  readonly #pace: Pace
  #sincePause = 0
  #pausedMs = longAgo

  constructor(response: ServerResponse, pace: Pace) {
    this.#response = response
    this.#pace = pace
  }

  /** Resolves when there is room for the next part, or the client is gone. */
  async write(part: string | Uint8Array): Promise<void> {
    const { clock, stallMs, signal, turns } = this.#pace
    if (signal.aborted) return
    if (msSince(clock, this.#pausedMs) > onceMs) this.#pause()
    this.#sincePause += part.length
    const hasRoom = this.#response.write(part)
    if (hasRoom && this.#sincePause < mostAtOnce) return
    this.#pause()
    if (hasRoom) return await turns.next()
    using _stall = clock.startTimer(stallMs, () => this.#response.destroy())
    // Aborted by the close of a client that never took it: the caller's loop ends by the same signal.
    await once(this.#response, "drain", { signal }).catch(() => {})
  }

  #pause(): void {
    this.#sincePause = 0
    this.#pausedMs = this.#pace.clock.monotonicMs()
  }
}
