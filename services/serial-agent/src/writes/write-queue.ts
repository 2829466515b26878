/*
 *   submit ─→ queue (bounded, in order) ─→ slices ─→ port.write ─→ port.drain ─→ receipt
 *                 └─ expired: too old, or meant for an earlier open       └─ tx stream of the journal
 */
import { AppError, formatCursor, maxWriteBytes, type Receipt } from "@serialcast/contract"
import {
  BoundedMap,
  type Clock,
  createDeferred,
  type Deferred,
  type Timer,
  withDeadline,
} from "@serialcast/primitives"
import type { Journal } from "../journal/journal.ts"
import type { OpenPort } from "../port/port-driver.ts"

/** Bytes that may wait for one port, the write in progress included. */
export const maxQueuedBytes = 8 * 1024 * 1024
/** What a write or a part of one costs beside its bytes, roughly: many small ones are bounded by it. */
export const writeCostBytes = 512
// Calls that are over and may be repeated: beyond this many the oldest are forgotten, and a repeat of one of them would
// be written again. None is forgotten by time: a call may be repeated for as long as its time to live, up to an hour.
const rememberedCalls = 4_096
// One slice is what an interrupted write is counted in; larger ones make fewer system calls.
const sliceBytes = 16 * 1024
// A port that takes nothing for this long is given up: flow control has held it, or its driver is stuck.
const stallMs = 60_000
const defaultTtlMs = 30_000

export interface Write {
  readonly id: string
  readonly by: string
  /** What a repeat has too: such a write is written once. Absent: it is never repeated. */
  readonly key?: string | undefined
  readonly bytes: Uint8Array
  readonly ttlMs?: number | undefined
  /** Refused as `expired` at another open count. */
  readonly open?: number | undefined
}

interface Queued extends Write {
  readonly receipt: Deferred<Receipt>
  /** Ends the time to live. */
  timer?: Timer
}

export interface WriteQueueDeps {
  readonly journal: Journal
  readonly clock: Clock
  /** Bits from start to stop bit, over the baud rate: how long a byte is on the wire, in milliseconds. */
  readonly byteMs: number
}

/** The writes of one port: one at a time, whole, in order, each answered. */
export class WriteQueue {
  readonly #deps: WriteQueueDeps
  readonly #unanswered = new Map<string, Promise<Receipt>>()
  readonly #answered = new BoundedMap<string, Promise<Receipt>>(rememberedCalls)
  /** In order: a set, because time to live takes writes out of the middle. */
  readonly #waiting = new Set<Queued>()
  #queuedBytes = 0
  #port: { readonly port: OpenPort; readonly open: number } | null = null
  #isWriting = false

  constructor(deps: WriteQueueDeps) {
    this.#deps = deps
  }

  /** The port is there; `open` counts how often it was. */
  attach(port: OpenPort, open: number): void {
    this.#port = { port, open }
  }

  /** The port is gone: what waits is refused as `expired`, so that a later open never gets it. */
  detach(): void {
    this.#port = null
    for (const write of this.#waiting) {
      this.#refuse(write, new AppError("expired", "The device went away before the write's turn came."), 0)
    }
  }

  /** The outcome of a write that was submitted before under this key. */
  find(key: string): Promise<Receipt> | undefined {
    return this.#unanswered.get(key) ?? this.#answered.get(key)
  }

  /** Refuses a write that did not come whole before the port closed: whoever sends the rest is told so. */
  expire(write: Write): void {
    this.#refuse(
      this.#accept(write),
      new AppError("expired", "The device went away before it came whole."),
      0,
    )
  }

  /**
   * Resolves when the bytes are drained to the port. Throws `device_offline`, `overloaded`, `too_large`, `expired`,
   * `aborted`; each refusal is also a mark in the `tx` stream.
   */
  submit(write: Write): Promise<Receipt> {
    const known = write.key === undefined ? undefined : this.find(write.key)
    if (known !== undefined) return known
    const refusal = this.#whyNot(write)
    // A copy: bytes as they came from the network are views that would keep all that came with them in memory.
    const queued = this.#accept(refusal === null ? { ...write, bytes: write.bytes.slice() } : write)
    if (refusal === null) {
      this.#waiting.add(queued)
      queued.timer = this.#deps.clock.startTimer(write.ttlMs ?? defaultTtlMs, () =>
        this.#refuse(queued, new AppError("expired", "It waited longer than its time to live."), 0),
      )
      void this.#run()
    } else {
      this.#refuse(queued, refusal, 0)
    }
    return queued.receipt.promise
  }

  #accept(write: Write): Queued {
    const receipt = createDeferred<Receipt>()
    // The call's handler answers for the outcome; a write by topic has nobody who waits.
    receipt.promise.catch(() => {})
    const queued: Queued = { ...write, receipt }
    if (write.key !== undefined) this.#unanswered.set(write.key, receipt.promise)
    this.#queuedBytes += costOf(write)
    return queued
  }

  #whyNot(write: Write): AppError | null {
    if (this.#port === null) return new AppError("device_offline", "The port is not open.")
    if (write.open !== undefined && write.open !== this.#port.open) {
      return new AppError("expired", "The device was plugged in again since this write was made.")
    }
    if (write.bytes.byteLength > maxWriteBytes) {
      return new AppError("too_large", `One write carries at most ${maxWriteBytes} bytes.`)
    }
    if (this.#queuedBytes + costOf(write) > maxQueuedBytes) {
      return new AppError("overloaded", `More than ${maxQueuedBytes} bytes wait for the port.`)
    }
    return null
  }

  async #run(): Promise<void> {
    if (this.#isWriting) return
    this.#isWriting = true
    for (const write of this.#waiting) {
      this.#waiting.delete(write)
      write.timer?.cancel()
      await this.#writeOne(write)
    }
    this.#isWriting = false
  }

  async #writeOne(write: Queued): Promise<void> {
    const { journal, clock } = this.#deps
    if (this.#port === null) return this.#refuse(write, new AppError("expired", "The device went away."), 0)
    const { port } = this.#port
    const { epoch } = journal
    const from = formatCursor({ epoch, ...journal.head("tx") })
    let written = 0
    try {
      while (written < write.bytes.byteLength) {
        const slice = write.bytes.subarray(written, written + sliceBytes)
        await this.#before(port.write(slice), slice.byteLength)
        journal.append("tx", slice)
        written += slice.byteLength
      }
      await this.#before(port.drain(), sliceBytes)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      // Of the slice that failed, nobody knows how much the device got.
      const text = `At least ${written} of ${write.bytes.byteLength} bytes were written: ${reason}.`
      this.#refuse(write, new AppError("aborted", text, { cause }), written)
      // What waits must neither go to this port any more nor take its failure for its own.
      if (this.#port?.port === port) this.detach()
      return await port.close()
    }
    const to = formatCursor({ epoch, ...journal.head("tx") })
    this.#settle(write)
    write.receipt.resolve({ bytes: written, from, to, drainedUs: clock.nowUs() })
  }

  #before(work: Promise<void>, bytes: number): Promise<void> {
    const { clock, byteMs } = this.#deps
    const timeoutMs = stallMs + 2 * bytes * byteMs
    const error = () =>
      new AppError("aborted", `the port took no bytes for ${Math.round(timeoutMs / 1000)} s`)
    return withDeadline(work, { clock, timeoutMs, error })
  }

  #refuse(write: Queued, error: AppError, bytes: number): void {
    const { id, by } = write
    this.#deps.journal.mark("tx", { kind: "refused", id, by, code: error.code, bytes })
    this.#settle(write)
    write.receipt.reject(error)
  }

  #settle(write: Queued): void {
    write.timer?.cancel()
    this.#waiting.delete(write)
    this.#queuedBytes -= costOf(write)
    if (write.key === undefined) return
    this.#unanswered.delete(write.key)
    this.#answered.set(write.key, write.receipt.promise)
  }
}

function costOf({ bytes }: Write): number {
  return bytes.byteLength + writeCostBytes
}
