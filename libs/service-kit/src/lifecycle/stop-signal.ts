import type { EventEmitter } from "node:events"
import { type Clock, createDeferred, type MonotonicMs, msSince } from "@serialcast/primitives"

export interface StopSignalOptions {
  readonly clock: Clock
  /** Called when the user asks again. */
  readonly insist: () => void
  /** What receives the signals; this process by default. */
  readonly source?: EventEmitter
}

// npm passes a terminal's Ctrl-C on to a child that got it already: one key press, two signals.
const sameRequestMs = 500

/** Resolves at the first SIGTERM or SIGINT. A later one that is not an echo of it calls `insist`. */
export function stopSignal({ clock, insist, source = process }: StopSignalOptions): Promise<NodeJS.Signals> {
  const first = createDeferred<NodeJS.Signals>()
  let firstMs: MonotonicMs | undefined
  const receive = (signal: NodeJS.Signals) => {
    if (firstMs !== undefined && msSince(clock, firstMs) > sameRequestMs) insist()
    firstMs ??= clock.monotonicMs()
    first.resolve(signal)
  }
  source.on("SIGTERM", receive)
  source.on("SIGINT", receive)
  return first.promise
}
