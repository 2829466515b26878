/*
 *   `started` mark ─→ slices ─→ port.write ─→ taken ─→ port.drain ─→ `drained` mark ─→ receipt
 *                        └─→ tx stream          │            └─ cut: `refused` mark, with how much was written
 *                                               └─→ the next write of the session
 */
import { AppError, formatCursor, type Receipt, type WriteProgress } from "@serialcast/contract"
import type { Journal } from "@serialcast/journal"
import type { OpenPort } from "@serialcast/ports"
import {
  type Clock,
  createDeferred,
  delay,
  type Timer,
  unlessAborted,
  withDeadline,
  within,
} from "@serialcast/primitives"
import type { Turn, TurnOptions } from "../turns/turn.ts"
import type { HoldWatch } from "./hold-watch.ts"
import { firstSlice, type Pacing } from "./pacing.ts"
import type { SlicePace } from "./slice-pace.ts"

// What a port may still have to drain after it took the last slice.
const drainBytes = 16 * 1024
// A disk that hangs delays a write by this much: then it goes without, as it does when the disk refuses.
const journalMs = 2_000
const progressMs = 1_000
// For a port to give back what it did not take. One whose driver cannot is closed.
const giveBackMs = 5_000

export interface Write extends TurnOptions, Partial<{ [Key in keyof Pacing]: number | undefined }> {
  readonly id: string
  readonly by: string
  readonly bytes: Uint8Array
  /** Called once a second while the bytes are written. */
  readonly onProgress?: (progress: WriteProgress) => void
}

export interface WriteTurnDeps {
  readonly journal: Journal
  readonly clock: Clock
  readonly hold: HoldWatch
  /** How long a byte is on the wire, in milliseconds. */
  readonly byteMs: () => number
  /** For writes that do not say their own. */
  readonly pacing: Pacing
  /** Of the port. */
  readonly pace: SlicePace
  /**
   * How long a write of a session rests before it is drained and accounted, in milliseconds: that would take the processor
   * from its answer, and from the writes behind it. The session goes on without its receipt.
   */
  readonly restMs: number
}

/** One write on its way to the port, with its marks in the `tx` stream. */
export interface WriteTurn extends Turn {
  /** Rejects with the refusal. */
  readonly receipt: Promise<Receipt>
}

export function createWriteTurn(write: Write, deps: WriteTurnDeps): WriteTurn {
  const { bytes } = write
  const { journal, clock, restMs } = deps
  const named = nameOf(write)
  const receipt = createDeferred<Receipt>()
  // The call's handler answers for the outcome; a write by topic has nobody who waits.
  receipt.promise.catch(() => {})
  let written = 0
  return {
    ...write,
    kind: "write",
    sizeBytes: bytes.byteLength,
    receipt: receipt.promise,
    async run(port, signal, onTaken) {
      journal.mark("tx", { kind: "started", ...named, bytes: bytes.byteLength })
      // Before the first byte, so that a process that is killed in mid-write knows of it afterwards. What a session wrote
      // at the end of a process is answered by its open count (`TurnQueue.whyNot`).
      if (write.session === undefined) await untilShown(deps)
      const from = placeIn(journal)
      let to = from
      using progress = everySecond(clock, () => write.onProgress?.({ bytes: written, of: bytes.byteLength }))
      try {
        const onWritten = (count: number) => (written += count)
        const sending = { port, signal, onWritten, onBegun: () => progress.start() }
        await sendPaced(write, deps, sending)
        to = placeIn(journal)
        onTaken?.()
        if (write.session !== undefined && restMs > 0) await delay(clock, restMs, signal)
        await drain(deps, sending)
      } catch (cause) {
        throw cutShort(cause, written, bytes.byteLength)
      }
      // The time of the mark, so that the next process answers a repeat with the same receipt.
      const drainedUs = journal.mark("tx", { kind: "drained", ...named, bytes: written })
      const done = { bytes: written, from, to, drainedUs }
      const answer = async () => {
        await untilShown(deps)
        receipt.resolve(done)
      }
      // The next turn need not wait for the disk.
      void answer()
    },
    refuse(error) {
      journal.mark("tx", { kind: "refused", ...named, code: error.code, bytes: written })
      receipt.reject(error)
    },
  }
}

/** As the marks of a write name it. */
export function nameOf({ client, id, by }: Pick<Write, "client" | "id" | "by">) {
  return client === undefined ? { id, by } : { client, id, by }
}

interface Sending {
  readonly port: OpenPort
  readonly signal: AbortSignal
  readonly onWritten: (count: number) => void
  /** The port has what it takes at once: nothing that is not for the device may come before it. */
  readonly onBegun: () => void
}

/** Resolves when the port took all of it; what it has may not be on the wire yet. */
async function sendPaced(write: Write, deps: WriteTurnDeps, sending: Sending): Promise<void> {
  const { journal, clock, byteMs, pacing, pace } = deps
  const { port, signal, onWritten, onBegun } = sending
  const { charDelayMs = pacing.charDelayMs, lineDelayMs = pacing.lineDelayMs } = write
  pace.begin(clock.monotonicMs())
  for (let written = 0; written < write.bytes.byteLength; ) {
    signal.throwIfAborted()
    const sliceBytes = pace.nextBytes(byteMs(), clock.monotonicMs())
    const rest = write.bytes.subarray(written)
    const { bytes, pauseMs } = firstSlice(rest, { charDelayMs, lineDelayMs }, sliceBytes)
    const taking = port.write(bytes, signal)
    onBegun()
    const taken = await untilTaken(taking, bytes.byteLength, deps, signal)
    if (taken > 0) journal.append("tx", bytes.subarray(0, taken))
    pace.took(taken, clock.monotonicMs())
    onWritten(taken)
    written += taken
    // Fewer only when it was aborted or purged, and whoever purges stops the write.
    if (taken < bytes.byteLength) signal.throwIfAborted()
    if (pauseMs === 0) continue
    // The pause begins when the byte is out, not when it is in the kernel's buffer.
    await drain(deps, sending)
    await delay(clock, pauseMs, signal)
  }
}

async function drain(deps: WriteTurnDeps, { port, signal }: Sending): Promise<void> {
  const drained = deps.hold.until(port.drain(), drainBytes * deps.byteMs())
  await unlessAborted(drained, signal)
  signal.throwIfAborted()
}

/** How many bytes the port took. A port that neither takes them nor gives them back is none to go on with. */
async function untilTaken(
  taking: Promise<number>,
  bytes: number,
  { hold, byteMs, clock }: WriteTurnDeps,
  signal: AbortSignal,
): Promise<number> {
  const taken = hold.until(taking, bytes * byteMs())
  const error = () => new AppError("aborted", "the port did not give back what it was given")
  return await unlessAborted(taken, signal, () =>
    withDeadline(taken, { clock, timeoutMs: giveBackMs, error }),
  )
}

async function untilShown({ journal, clock }: WriteTurnDeps): Promise<void> {
  const settled = journal.settled()
  if (settled !== null) await within(settled, { clock, timeoutMs: journalMs })
}

function cutShort(cause: unknown, written: number, of: number): AppError {
  if (cause instanceof AppError && cause.code === "cancelled")
    return new AppError("cancelled", `${written} of ${of} bytes were written, then it was taken back.`)
  const reason = cause instanceof Error ? cause.message : String(cause)
  // Of the slice that failed, nobody knows how much the device got.
  return new AppError("aborted", `At least ${written} of ${of} bytes were written: ${reason}.`, { cause })
}

function placeIn(journal: Journal): string {
  return formatCursor({ epoch: journal.epoch, ...journal.place("tx") })
}

/** From `start` on. */
function everySecond(clock: Clock, tell: () => void): Disposable & { start(): void } {
  let timer: Timer | null = null
  return {
    start: () => void (timer ??= clock.startTimer(progressMs, next)),
    [Symbol.dispose]: () => timer?.cancel(),
  }

  function next(): void {
    timer = clock.startTimer(progressMs, next)
    tell()
  }
}
