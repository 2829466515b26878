import type { Socket } from "node:net"
import type { Clock } from "../clock.ts"
import { delay } from "../delay.ts"
import { endsOf, readUnacknowledged } from "./tcp-table.ts"

// A peer that has nothing to send acknowledges within 40 ms (Linux, delayed acknowledgement), one nearby within one.
const [firstLookMs, lastLookMs] = [1, 250]

/**
 * Resolves when the peer's system has acknowledged all that the socket was given before, when `signal` is aborted or the
 * socket closed, and at once where the system does not tell. That is what TCP can say of a delivery: the system has the
 * bytes, its program may not have read them.
 */
export async function untilAcknowledged(socket: Socket, clock: Clock, signal: AbortSignal): Promise<void> {
  const ends = endsOf(socket)
  const target = socket.bytesWritten
  if (ends === null || target === 0) return
  for (
    let lookMs = firstLookMs;
    !signal.aborted && !socket.destroyed;
    lookMs = Math.min(2 * lookMs, lastLookMs)
  ) {
    // Counted before the system is asked, so that what is given meanwhile makes it less.
    const given = socket.bytesWritten - socket.writableLength
    const unacknowledged = await readUnacknowledged(ends)
    if (unacknowledged === null || given - unacknowledged >= target) return
    await delay(clock, lookMs, signal)
  }
}
