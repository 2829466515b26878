import type { MonotonicMs } from "@serialcast/primitives"

/** What a conversation wants next: bytes to be sent, and then to hear what comes within `waitMs`; 0: nothing is waited for. */
export interface Ask {
  readonly send?: Uint8Array
  readonly waitMs: number
}

/** What came: `bytes` is null when nothing did, and when nothing was waited for. */
export interface Heard {
  readonly bytes: Uint8Array | null
  readonly nowMs: MonotonicMs
}

/**
 * A part of what is said to a board and heard from it, without any I/O: it yields what it wants and is resumed with what
 * came. Parts are put together with `yield*`, so that a whole one reads from top to bottom.
 */
export type Conversation<T> = Generator<Ask, T, Heard>
