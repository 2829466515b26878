import type { Clock } from "./clock.ts"

/** Resolves after `delayMs`, or at once when `signal` is aborted. */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const timer = clock.startTimer(delayMs, finish)
    signal?.addEventListener("abort", finish)
    function finish() {
      timer.cancel()
      signal?.removeEventListener("abort", finish)
      resolve()
    }
  })
}
