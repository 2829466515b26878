import type { Clock, Timer } from "./clock.ts"
import { after, msUntil } from "./monotonic.ts"
import type { MonotonicMs } from "./time-kinds.ts"

/**
 * Says when nothing was heard for too long. Being told costs a reading of the clock, and no timer. Disposing it ends it.
 */
export interface Watchdog extends Disposable {
  /** Something was heard: it watches from now on. */
  tell(): void
  /** It does not watch until it is told something again. */
  rest(): void
}

export interface WatchdogOptions {
  readonly clock: Clock
  readonly timeoutMs: number
  /** Called once for each silence. */
  readonly onSilence: () => void
}

export function createWatchdog({ clock, timeoutMs, onSilence }: WatchdogOptions): Watchdog {
  /** null while it rests. */
  let heardMs: MonotonicMs | null = null
  let timer: Timer | null = null

  function look(): void {
    timer = null
    if (heardMs === null) return
    const leftMs = msUntil(clock, after(heardMs, timeoutMs))
    if (leftMs > 0) {
      timer = clock.startTimer(leftMs, look)
      return
    }
    heardMs = null
    onSilence()
  }

  return {
    tell() {
      heardMs = clock.monotonicMs()
      timer ??= clock.startTimer(timeoutMs, look)
    },
    rest() {
      heardMs = null
    },
    [Symbol.dispose]() {
      heardMs = null
      timer?.cancel()
      timer = null
    },
  }
}
