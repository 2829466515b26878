import { delay, systemClock } from "@serialcast/primitives"

export interface EventuallyOptions {
  readonly timeoutMs?: number
  readonly intervalMs?: number
}

/**
 * Repeats `check` until it does not throw, and answers its value; at the deadline its last error is thrown: after 30 s,
 * which a right program keeps on a busy machine too. Only for conditions that no event announces.
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { timeoutMs = 30_000, intervalMs = 20 }: EventuallyOptions = {},
): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() >= deadlineMs) throw error
    }
    await delay(systemClock, intervalMs)
  }
}
