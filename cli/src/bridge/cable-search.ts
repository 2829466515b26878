import { after, type Clock, type MonotonicMs, msUntil } from "@serialcast/primitives"
import type { BridgeView } from "./bridge-news.ts"

/** Measures how long the other end of a cable has been looked for without being found. */
export interface CableSearch {
  /** How long it may still take as things are now, in milliseconds, 0 when it is over; Infinity while nothing is looked for. */
  leftMs(view: Pick<BridgeView, "device" | "tunnel">): number
}

/** `timeoutMs`: null for ever. Without its port, an end looks for nothing. */
export function createCableSearch(clock: Clock, timeoutMs: number | null): CableSearch {
  let endMs: MonotonicMs | null = null
  return {
    leftMs({ device, tunnel }) {
      const isSearching = tunnel.link === "synchronising" && device?.online === true
      if (!isSearching || timeoutMs === null) {
        endMs = null
        return Infinity
      }
      endMs ??= after(clock.monotonicMs(), timeoutMs)
      return msUntil(clock, endMs)
    },
  }
}
