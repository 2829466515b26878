import { AppError } from "@serialcast/contract"
import { type Clock, createDeferred } from "@serialcast/primitives"

// Beyond what the bytes need on the wire: a kernel that hands on a buffer, or a device that thinks, is no news yet.
const heldAfterMs = 2_000

export interface HoldWatchOptions {
  /** A port that takes nothing for longer is given up, in milliseconds; null: flow control may hold it for ever. */
  readonly limitMs: number | null
  readonly onHeld: () => void
  /** It takes bytes again, or, with `isOver` false, what waited for it was given up. */
  readonly onResumed: (isOver: boolean) => void
}

/**
 * Notices that a port takes nothing: a device holds the sender back (XOFF, CTS, a full window), or nobody reads it. That may
 * last, as a change of tools or of paper does, and ends no write: what is sent goes on where it stopped.
 */
export class HoldWatch {
  readonly #clock: Clock
  readonly #options: HoldWatchOptions
  /** What has waited for longer than it should. */
  #held = 0

  constructor(clock: Clock, options: HoldWatchOptions) {
    this.#clock = clock
    this.#options = options
  }

  get isHeld(): boolean {
    return this.#held > 0
  }

  /** What `work` answers, which needs `wireMs` on the wire at most. Rejects with `aborted` when the limit is over. */
  async until<T>(work: Promise<T>, wireMs: number): Promise<T> {
    const givenUp = createDeferred<never>()
    let isHeld = false
    let isOver = false
    let timer = this.#clock.startTimer(heldAfterMs + 2 * wireMs, () => {
      isHeld = true
      if (++this.#held === 1) this.#options.onHeld()
      const { limitMs } = this.#options
      if (limitMs === null) return
      timer = this.#clock.startTimer(limitMs, () => givenUp.reject(tookNothing(limitMs)))
    })
    try {
      const answer = await Promise.race([work, givenUp.promise])
      isOver = true
      return answer
    } finally {
      timer.cancel()
      if (isHeld && --this.#held === 0) this.#options.onResumed(isOver)
    }
  }
}

function tookNothing(limitMs: number): AppError {
  return new AppError("aborted", `the port took no bytes for ${Math.round(limitMs / 1000)} s`)
}
