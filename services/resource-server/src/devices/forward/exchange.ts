/*
 *   lease ─→ places in rx and tx ─→ write ─→ `started` mark in tx ─→ first line of rx behind both that matches
 */
import { AppError, type Cursor, type DeviceState, type ErrorCode, toAppError } from "@serialcast/contract"
import { type Device, type DeviceLease, readMessages, type StreamEvent } from "@serialcast/device-stream"
import { after, type Clock, delay, type MonotonicMs, msUntil, within } from "@serialcast/primitives"

export interface ExchangeOptions {
  readonly device: Device
  /** Its newest state. */
  readonly state: () => DeviceState | undefined
  readonly clock: Clock
  /** The principal who asks. */
  readonly by: string
  /** With its end. */
  readonly line: Uint8Array
  /** What a line answers; null: it is another one. */
  readonly match: (line: Uint8Array) => Uint8Array | null
  /** From when the line is out, in milliseconds. */
  readonly timeoutMs: number
  /** Nobody waits for it any more. */
  readonly signal: AbortSignal
}

/** A lease outlives the process that held it, when that was killed, by so much. */
const leaseTtlMs = 10_000
/** How long whoever else holds the device is waited for: other servers let go of it within an exchange. */
const leaseWaitMs = 2_000
const askAgainMs = 100
/** For a line to go out: a device that holds the sender back is not waited for. */
const writeMs = 5_000
/** The mark is on its way when the receipt comes. */
const markMs = 1_000

/**
 * Says a line to a device, and answers the first line that is a reply to it: one that began after it, and matches. Throws
 * `overloaded` while somebody else holds the device, `device_offline`, `device_silent`, and `cancelled` when nobody waits any more.
 */
export async function exchange(options: ExchangeOptions): Promise<Uint8Array> {
  const { device, clock, by, line, timeoutMs } = options
  await using lease = await takeLease(options)
  const ending = new AbortController()
  const signal = AbortSignal.any([options.signal, ending.signal])
  const [rx, tx] = [openStream(device, "rx", signal), openStream(device, "tx", signal)]
  try {
    const [place] = await Promise.all([placeOf(rx), placeOf(tx)])
    if (signal.aborted) throw gone()
    const id = crypto.randomUUID()
    await writeLine(device, line, { by, id, lease: lease.fence, clock })
    const endMs = after(clock.monotonicMs(), timeoutMs)
    const startedUs = await startOf(tx, id, clock)
    return await firstReply(options, { place, startedUs, endMs, signal })
  } finally {
    ending.abort()
    await Promise.all([rx.return?.(), tx.return?.()])
  }
}

async function takeLease({ device, by, clock, signal }: ExchangeOptions): Promise<DeviceLease> {
  const endMs = after(clock.monotonicMs(), leaseWaitMs)
  for (;;) {
    if (signal.aborted) throw gone()
    try {
      return await device.acquireLease({ by, ttlMs: leaseTtlMs })
    } catch (error) {
      const { code, message } = toAppError(error)
      if (code !== "leased") throw error
      if (msUntil(clock, endMs) <= 0) throw new AppError("overloaded", message)
      await delay(clock, askAgainMs, signal)
    }
  }
}

type Stream = AsyncIterator<StreamEvent>

function openStream(device: Device, stream: "rx" | "tx", signal: AbortSignal): Stream {
  return device.read({ from: { kind: "now" }, stream, signal })[Symbol.asyncIterator]()
}

/** Where a stream stands. Throws `device_offline` when its agent does not say so. */
async function placeOf(stream: Stream): Promise<Cursor> {
  const { value, done } = await stream.next()
  if (done === true) throw gone()
  if (value.kind === "positioned" && value.cursor !== null) return value.cursor
  throw new AppError("device_offline", "The agent of the device does not say what it sent last.")
}

/** Refusals of a write that somebody else's lease is the reason of. */
const takenCodes: ReadonlySet<ErrorCode> = new Set(["leased", "lease_lost"])

/** It goes out whole, also when its client leaves: half a line would be a part of the next one. */
async function writeLine(
  device: Device,
  line: Uint8Array,
  {
    clock,
    ...options
  }: { readonly by: string; readonly id: string; readonly lease: string; readonly clock: Clock },
): Promise<void> {
  const late = new AbortController()
  using _timer = clock.startTimer(writeMs, () => late.abort())
  try {
    await device.write(line, { ...options, ttlMs: writeMs, signal: late.signal })
  } catch (error) {
    const { code, message } = toAppError(error)
    if (takenCodes.has(code)) throw new AppError("overloaded", message)
    if (code === "cancelled")
      throw new AppError("device_silent", `The device did not take the line within ${writeMs / 1000} s.`)
    throw error
  }
}

/** When the write began, in microseconds of the agent's clock; 0: it does not say so in time. */
async function startOf(tx: Stream, id: string, clock: Clock): Promise<number> {
  let startedUs = 0
  const look = async () => {
    for (;;) {
      const { value, done } = await tx.next()
      if (done === true) return
      if (value.kind !== "mark" || value.mark.kind !== "started" || value.mark.id !== id) continue
      startedUs = value.timeUs
      return
    }
  }
  await within(look(), { clock, timeoutMs: markMs })
  return startedUs
}

interface Asked {
  /** Where the device's stream stood before the line. */
  readonly place: Cursor
  readonly startedUs: number
  readonly endMs: MonotonicMs
  readonly signal: AbortSignal
}

async function firstReply(
  { device, state, clock, match, timeoutMs, signal: leaving }: ExchangeOptions,
  { place, startedUs, endMs, signal }: Asked,
): Promise<Uint8Array> {
  const late = new AbortController()
  using _timer = clock.startTimer(msUntil(clock, endMs), () => late.abort())
  const events = readMessages(device, {
    from: { kind: "cursor", cursor: place },
    stream: "rx",
    state,
    signal: AbortSignal.any([signal, late.signal]),
    clock,
  })
  let sinceUs = startedUs
  for await (const event of events) {
    if (event.kind === "mark" && event.mark.kind === "closed")
      throw new AppError("device_offline", "The device went away before it answered.")
    // Times from before and after are of two clocks.
    if (event.kind === "mark" && event.mark.kind === "clock") sinceUs = 0
    if (event.kind !== "message" || event.isCut || event.timeUs < sinceUs) continue
    // It had begun when the line was not out yet.
    if (event.cursor.epoch === place.epoch && event.offset < place.offset) continue
    const reply = match(event.bytes)
    if (reply !== null) return reply
  }
  if (leaving.aborted) throw gone()
  throw new AppError("device_silent", `The device did not answer the line within ${timeoutMs} ms.`)
}

function gone(): AppError {
  return new AppError("cancelled", "Nobody waits for the answer any more.")
}
