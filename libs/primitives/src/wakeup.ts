import type { Clock } from "./clock.ts"

export interface WaitLimits {
  /** Ends the wait when aborted. */
  readonly signal?: AbortSignal | undefined
  /** Ends the wait after this time. */
  readonly timeout?: { readonly clock: Clock; readonly ms: number } | undefined
}

/** Lets a pull loop sleep until something new may be there. */
export interface Wakeup {
  /** Wakes everyone who waits now. */
  wake(): void
  /** Answers what ended the wait. The caller looks again in any case: a wake carries no news itself. */
  wait(limits?: WaitLimits): Promise<WaitEnd>
  /** Calls `listener` at each wake; answers the function that ends it. */
  onWake(listener: () => void): () => void
}

/** What ended a wait. */
export type WaitEnd = "woken" | "timeout" | "aborted"

export function createWakeup(): Wakeup {
  let waiters = new Set<() => void>()
  const listeners = new Set<() => void>()
  return {
    wake() {
      for (const listener of listeners) listener()
      if (waiters.size === 0) return
      const woken = waiters
      waiters = new Set()
      for (const resume of woken) resume()
    },
    onWake(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    wait({ signal, timeout } = {}) {
      return new Promise((resolve) => {
        if (signal?.aborted) return resolve("aborted")
        const end = (why: WaitEnd) => {
          waiters.delete(onWake)
          timer?.cancel()
          signal?.removeEventListener("abort", onAbort)
          resolve(why)
        }
        const onWake = () => end("woken")
        const onAbort = () => end("aborted")
        const timer = timeout?.clock.startTimer(timeout.ms, () => end("timeout"))
        waiters.add(onWake)
        signal?.addEventListener("abort", onAbort)
      })
    },
  }
}
