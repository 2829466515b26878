import { AppError, type Receipt, toAppError } from "@serialcast/contract"
import type { Device } from "@serialcast/device-stream"

/** Writes and bytes that may wait for their turn; beyond either, the socket is not read. */
export const maxWaiting = 64
export const maxWaitingBytes = 4 * 1024 * 1024

/** What one that waits costs beside its bytes, roughly: it bounds what very small ones take. */
const entryBytes = 512

export interface QueuedWrite {
  readonly bytes: Uint8Array
  /** How long the agent may keep it waiting, in milliseconds. */
  readonly ttlMs?: number
}

export interface WriteLaneOptions {
  readonly device: Pick<Device, "write">
  /** The principal who writes. */
  readonly by: string
  /** What came of a write; awaited, so that a client that does not read its receipts is not read either. */
  readonly report: (id: string, outcome: Receipt | AppError) => Promise<void>
  /** Told what the writes hold, in bytes, when that changes: those that wait, and the one on its way. */
  readonly onHeld: (bytes: number) => void
  /** Asked to stop reading from the client, and to go on. */
  readonly setPaused: (isPaused: boolean) => void
}

/** One client's writes, one after the other: in order, whatever the network does to the calls in between. */
export interface WriteLane {
  /** An error in place of a write is answered in its turn. `id` is handed to `report`. */
  submit(id: string, write: QueuedWrite | AppError): void
  /** From now on, what has not started is refused as `expired`. */
  refuseRest(): void
  /** Resolves when nothing waits and nothing is on its way. */
  idle(): Promise<void>
}

interface Waiting {
  readonly id: string
  readonly write: QueuedWrite | AppError
}

/**
 * Bounded by `maxWaiting` and `maxWaitingBytes`, plus what the socket had already read when it was paused (64 KiB).
 * Writes of a client that has left are still done: `echo reboot | websocat …` is a way of working.
 */
export function createWriteLane({ device, by, report, onHeld, setPaused }: WriteLaneOptions): WriteLane {
  const waiting: Waiting[] = []
  let waitingBytes = 0
  let heldBytes = 0
  let isEnding = false
  let running: Promise<void> | null = null

  const hold = (bytes: number) => {
    heldBytes += bytes
    onHeld(heldBytes)
  }
  const isFull = () => waiting.length >= maxWaiting || waitingBytes >= maxWaitingBytes

  async function run(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      waitingBytes -= sizeOf(next.write)
      setPaused(isFull())
      await report(next.id, isEnding ? notStarted() : await attempt(next.write))
      hold(-costOf(next.write))
    }
    running = null
  }

  async function attempt(write: QueuedWrite | AppError): Promise<Receipt | AppError> {
    if (write instanceof AppError) return write
    const { bytes, ttlMs } = write
    try {
      // A client's id names the write on its socket only; the agent's ids are everyone's, so it gets its own.
      return await device.write(bytes, { by, ttlMs })
    } catch (error) {
      return toAppError(error)
    }
  }

  return {
    submit(id, write) {
      waiting.push({ id, write })
      waitingBytes += sizeOf(write)
      hold(costOf(write))
      if (isFull()) setPaused(true)
      running ??= run()
    },
    refuseRest() {
      isEnding = true
    },
    async idle() {
      await running
    },
  }
}

function sizeOf(write: QueuedWrite | AppError): number {
  return write instanceof AppError ? 0 : write.bytes.byteLength
}

function costOf(write: QueuedWrite | AppError): number {
  return entryBytes + sizeOf(write)
}

function notStarted(): AppError {
  return new AppError("expired", "The connection is ending; this write was not started.")
}
