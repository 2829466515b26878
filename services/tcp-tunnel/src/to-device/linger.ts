import { type Clock, createWakeup } from "@serialcast/primitives"

/** The longest write that has one receipt, on the wire: 60,000 bytes of 12 bits at most. */
const longestWriteBits = 60_000 * 12
/** How long a device that takes nothing is waited for, beyond the time on the wire. */
const patienceMs = 10_000

export interface LingerOptions {
  readonly clock: Clock
  /** Bit/s */
  readonly baudRate: number
  /** How often the device took bytes so far. */
  readonly receipts: () => number
  /** Ends the waiting. */
  readonly signal: AbortSignal
}

/**
 * Waits for `work`, which ends when the device has what its client sent, for as long as the device takes something: slow
 * ones get it all, and one that is stuck does not keep the next client from control.
 */
export async function linger(work: Promise<void>, options: LingerOptions): Promise<void> {
  const { clock, baudRate, receipts, signal } = options
  const done = createWakeup()
  let isDone = false
  const end = () => {
    isDone = true
    done.wake()
  }
  work.then(end, end)
  const ms = patienceMs + (longestWriteBits * 1_000) / baudRate
  let before = -1
  while (!isDone && before !== receipts() && !signal.aborted) {
    before = receipts()
    await done.wait({ signal, timeout: { clock, ms } })
  }
}
