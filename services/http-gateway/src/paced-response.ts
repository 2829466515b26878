import { once } from "node:events"
import type { ServerResponse } from "node:http"
import { type Clock, type LoopTurns, TakenAtOnce } from "@serialcast/primitives"

export interface Pace {
  readonly clock: Clock
  /** A client that takes nothing for this long is cut off. */
  readonly stallMs: number
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal
  readonly turns: LoopTurns
}

/** A response that is written part by part, at its client's pace and in its turn. */
export class PacedResponse {
  readonly #response: ServerResponse
  readonly #pace: Pace
  readonly #taken: TakenAtOnce

  constructor(response: ServerResponse, pace: Pace) {
    this.#response = response
    this.#pace = pace
    this.#taken = new TakenAtOnce(pace.clock)
  }

  /** Resolves when there is room for the next part, or the client is gone. */
  async write(part: string | Uint8Array): Promise<void> {
    const { clock, stallMs, signal, turns } = this.#pace
    if (signal.aborted) return
    const isMuch = this.#taken.add(part.length)
    if (this.#response.write(part)) return isMuch ? await turns.next() : undefined
    this.#taken.paused()
    using _stall = clock.startTimer(stallMs, () => this.#response.destroy())
    // Aborted by the close of a client that never took it: the caller's loop ends by the same signal.
    await once(this.#response, "drain", { signal }).catch(() => {})
  }
}
