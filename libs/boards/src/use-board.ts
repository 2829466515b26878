import { AppError, type DeviceState } from "@serialcast/contract"
import type { Device, DeviceLease } from "@serialcast/device-stream"
import { type Board, type BoardMemory, takeBoard } from "@serialcast/micropython"
import { type Clock, concatBytes } from "@serialcast/primitives"
import { DeviceWire } from "./device-wire.ts"

export interface UseBoardOptions {
  readonly device: Pick<Device, "acquireLease" | "history" | "read" | "openWriter">
  /** The device's newest state. */
  readonly state: Pick<DeviceState, "settings">
  /** The principal who uses it. */
  readonly by: string
  /** What for, like `put main.py`: terminals show this instead of what is said to the board and back. */
  readonly purpose: string
  /** Takes the device from whoever holds it. */
  readonly steal?: boolean | undefined
  /** What is known of the board from before. */
  readonly memory?: BoardMemory | undefined
  readonly clock: Clock
  /** Gives it up, and gives it back. */
  readonly signal: AbortSignal
  /** Whether the end by this error is what whoever asked for it wants. Default: once `signal` is aborted. */
  readonly isGivenUp?: ((error: unknown) => boolean) | undefined
}

/** A lease outlives the process that held it, when that was killed, by so much. */
const leaseTtlMs = 10_000

/** Whether a device that does not answer is a busy board shows in what it said before. */
const lastWordsBytes = 4_096

/**
 * Takes a board for `work` alone: under a lease, with the raw REPL entered, and back at its prompt afterwards, whatever
 * happens. Throws `leased` while somebody else has it, `not_micropython` when it is none, `cancelled` when it was given up,
 * and what `work` throws.
 */
export async function useBoard<T>(options: UseBoardOptions, work: (board: Board) => Promise<T>): Promise<T> {
  const { device, by, purpose, steal, signal, isGivenUp = () => signal.aborted } = options
  let isDone = false
  let reason: unknown
  // What terminals are told at the end of the lease.
  const outcome = () => (isDone ? undefined : isGivenUp(reason) ? "cancelled" : "failed")
  await using lease = await device.acquireLease({ by, purpose, steal, ttlMs: leaseTtlMs, outcome })
  try {
    const result = await takeFor(lease, options, work)
    isDone = true
    return result
  } catch (error) {
    reason = error
    throw error
  }
}

async function takeFor<T>(
  lease: DeviceLease,
  { device, state, by, memory, clock, signal }: UseBoardOptions,
  work: (board: Board) => Promise<T>,
): Promise<T> {
  const said = await lastWords(device, signal)
  await using wire = await DeviceWire.open({ device, lease, by, clock })
  // Taking it ends its program, which is left alone when nobody waits for the board any more.
  if (signal.aborted) throw new AppError("cancelled", "The board was given up before it was taken.")
  const softwareFlowControl = state.settings.flowControl === "software"
  const board = await takeBoard(wire, {
    clock,
    signal,
    said,
    softwareFlowControl,
    ...(memory === undefined ? {} : { memory }),
  })
  let isDone = false
  try {
    const result = await work(board)
    isDone = true
    return result
  } finally {
    // What went wrong first is what the caller is told.
    await board.leave().catch((error: unknown) => {
      if (isDone) throw error
    })
  }
}

/** What the device said last, which may show that it is a board; nothing when that cannot be had. */
async function lastWords(device: Pick<Device, "history">, signal: AbortSignal): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  try {
    const events = device.history({ from: { kind: "last", bytes: lastWordsBytes }, signal })
    for await (const event of events) if (event.kind === "bytes") parts.push(event.bytes)
  } catch {
    // Without them a busy board is told as a device that may be something else.
  }
  return concatBytes(parts)
}
