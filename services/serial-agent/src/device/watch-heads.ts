import { streamNames } from "@serialcast/contract"
import type { Journal } from "@serialcast/journal"
import type { Clock, Timer } from "@serialcast/primitives"

// Often enough for people who look at a state; the exact heads are on the stream topic and in every page.
const periodMs = 10_000

/** Calls `onMoved` now and again while bytes come in, so that the heads in the retained state are not years old. */
export function watchHeads(journal: Journal, clock: Clock, onMoved: () => void): Disposable {
  const total = () => streamNames.reduce((sum, stream) => sum + journal.head(stream).offset, 0)
  let told = total()
  let timer: Timer = clock.startTimer(periodMs, look)
  return { [Symbol.dispose]: () => timer.cancel() }

  function look(): void {
    const now = total()
    if (now !== told) onMoved()
    told = now
    timer = clock.startTimer(periodMs, look)
  }
}
