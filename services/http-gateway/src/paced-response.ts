import { once } from "node:events"
import type { ServerResponse } from "node:http"
import type { Clock } from "@serialcast/primitives"

export interface Pace {
  readonly clock: Clock
  /** A client that takes nothing for this long is cut off. */
  readonly stallMs: number
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal
}

/** Writes a part of a response, and resolves when there is room for the next one or the client is gone. */
export async function writePaced(
  response: ServerResponse,
  part: string | Uint8Array,
  { clock, stallMs, signal }: Pace,
): Promise<void> {
  if (signal.aborted || response.write(part)) return
  using _stall = clock.startTimer(stallMs, () => response.destroy())
  // Aborted by the close of a client that never took it: the caller's loop ends by the same signal.
  await once(response, "drain", { signal }).catch(() => {})
}
