import { type Clock, delay } from "@serialcast/primitives"

// Asking a tty for its baud rate this often costs some 2 ms of processor time per second (measured).
const everyMs = 250

export interface WatchdogOptions {
  readonly clock: Clock
  /** Rejects when the port is dead. */
  readonly check: () => Promise<unknown>
  /** Called once, with what the check said; nothing is checked any more then. */
  readonly onDead: (error: unknown) => void
  /** Ends it. */
  readonly signal: AbortSignal
}

/** Asks again and again whether a port is alive, one check after the other. */
export async function runWatchdog({ clock, check, onDead, signal }: WatchdogOptions): Promise<void> {
  for (;;) {
    await delay(clock, everyMs, signal)
    if (signal.aborted) return
    try {
      await check()
    } catch (error) {
      if (!signal.aborted) onDead(error)
      return
    }
  }
}
