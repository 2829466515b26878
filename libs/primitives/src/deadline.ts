import type { Clock } from "./clock.ts"
import { createDeferred } from "./deferred.ts"

export interface Deadline {
  readonly clock: Clock
  readonly timeoutMs: number
  /** Makes the error that the caller gets when the time is over. */
  readonly error: () => Error
}

/** `work`, or a rejection with `error()` when it takes longer than `timeoutMs`. The work itself is not stopped. */
export async function withDeadline<T>(work: Promise<T>, { clock, timeoutMs, error }: Deadline): Promise<T> {
  const expired = createDeferred<never>()
  using _timer = clock.startTimer(timeoutMs, () => expired.reject(error()))
  return await Promise.race([work, expired.promise])
}

/** Resolves when `work` does, or after `timeoutMs`; rejects only if `work` does before. The work itself is not stopped. */
export async function within(
  work: Promise<unknown>,
  { clock, timeoutMs }: Pick<Deadline, "clock" | "timeoutMs">,
): Promise<void> {
  const expired = createDeferred<void>()
  using _timer = clock.startTimer(timeoutMs, () => expired.resolve())
  await Promise.race([work, expired.promise])
}
