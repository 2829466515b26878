import { AppError } from "@serialcast/contract"
import { after, type Clock, delay, msUntil } from "@serialcast/primitives"

/** A command that was killed holds its board for ten seconds more; one that lives holds it for as long as it takes. */
export const patienceMs = 12_000
const lookMs = 200

export interface WaitForBoardOptions {
  readonly clock: Clock
  /** Ends the waiting. */
  readonly signal: AbortSignal
  /** Whether somebody holds it, as is known here. */
  readonly isHeld: () => boolean
  /** It is waited for, because of this. */
  readonly onWait: (error: AppError) => Promise<void>
}

/**
 * What `take` comes to, which is tried again while it throws `leased`, for 12 s. Throws `leased` then, and whatever else it
 * throws.
 */
export async function waitForBoard<T>(
  take: () => Promise<T>,
  { clock, signal, isHeld, onWait }: WaitForBoardOptions,
): Promise<T> {
  const endMs = after(clock.monotonicMs(), patienceMs)
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await take()
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "leased" || msUntil(clock, endMs) === 0) throw error
      if (isFirst) await onWait(error)
    }
    do await delay(clock, lookMs, signal)
    while (isHeld() && msUntil(clock, endMs) > 0 && !signal.aborted)
    if (signal.aborted) throw new AppError("cancelled", "The board was not waited for any longer.")
  }
}
