import type { Clock } from "@serialcast/primitives"
import type { BridgeView } from "./bridge-news.ts"

/** Measures how long the other end of a cable has been looked for without being found. */
export interface CableSearch {
  /** How long it may still take as things are now, in milliseconds; Infinity while nothing is looked for. */
  leftMs(view: Pick<BridgeView, "device" | "tunnel">): number
}

/** `timeoutMs`: null for ever. Without its port, an end looks for nothing. */
export function createCableSearch(clock: Clock, timeoutMs: number | null): CableSearch {
  let sinceMs: number | null = null
  return {
    leftMs({ device, tunnel }) {
      const isSearching = tunnel.link === "synchronising" && device?.online === true
      if (!isSearching || timeoutMs === null) {
        sinceMs = null
        return Infinity
      }
      sinceMs ??= clock.nowMs()
      return sinceMs + timeoutMs - clock.nowMs()
    },
  }
}
