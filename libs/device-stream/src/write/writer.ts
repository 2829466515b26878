import type { BrokerClient } from "@serialcast/broker-client"
import {
  AppError,
  type DeviceState,
  formatAddress,
  maxChunkBytes,
  maxWriteBytes,
  parseReceipt,
  type Receipt,
  type WriteProgress,
  type WriteRequest,
} from "@serialcast/contract"
import { callDevice } from "../device-call.ts"
import { cancelWrite } from "./cancel.ts"

const defaultTtlMs = 30_000
/** For the reply, when the write's turn has come: from then on it tells its progress once a second. */
const graceMs = 10_000
const partTimeoutMs = 10_000
/** Parts on the way at once: enough to hide the round trip, little enough to leave the connection to others. */
const partWindow = 8

export interface WriteOptions {
  /** The principal who writes. */
  readonly by: string
  /** How long the write may wait for others before it is refused as `expired`, in milliseconds. */
  readonly ttlMs?: number | undefined
  /** Names the write, so that a repeat is written once. */
  readonly id?: string | undefined
  /** The fence of the lease it is made under. */
  readonly lease?: string | undefined
  /** Pause after each byte, in milliseconds. Default: the device's. */
  readonly charDelayMs?: number | undefined
  /** Pause after each \\n, in milliseconds. Default: the device's. */
  readonly lineDelayMs?: number | undefined
  /** Takes the write back when aborted: it is refused as `cancelled`, with how much was written, unless it was done. */
  readonly signal?: AbortSignal | undefined
  /** Called about once a second while the bytes are written. Must not throw. */
  readonly onProgress?: ((progress: WriteProgress) => void) | undefined
}

/**
 * Writes `bytes` as one atomic write and resolves when they are drained to the port. Throws `too_large`,
 * `device_offline`, `broker_offline`, `overloaded`, `leased`, `lease_lost`, `expired`, `cancelled`, `aborted`, or
 * `no_reply` when the outcome is unknown.
 */
export async function writeDevice(
  broker: BrokerClient,
  state: DeviceState,
  bytes: Uint8Array,
  options: WriteOptions,
): Promise<Receipt> {
  const { by, ttlMs = defaultTtlMs, id = crypto.randomUUID(), signal, onProgress } = options
  const { lease, charDelayMs, lineDelayMs } = options
  if (bytes.byteLength > maxWriteBytes) {
    throw new AppError(
      "too_large",
      `One write carries at most ${maxWriteBytes} bytes, found ${bytes.byteLength}.`,
    )
  }
  needOnline(state)
  if (signal?.aborted) throw takenBack()
  // The write's own outcome tells what came of it.
  const cancel = () => void cancelWrite(broker, state, { by, write: id }).catch(() => {})
  signal?.addEventListener("abort", cancel)
  try {
    const request = { id, by, ttlMs, open: state.open, lease, charDelayMs, lineDelayMs }
    const { leading, last } = splitWrite(request, bytes)
    await sendParts(broker, state, leading, signal)
    const call = { broker, verb: "write", address: state, request: last } as const
    // The reply to the write as a whole has no part number, whichever part asked for it.
    return parseReceipt(await callDevice({ ...call, timeoutMs: ttlMs + graceMs, isWhole: true, onProgress }))
  } finally {
    signal?.removeEventListener("abort", cancel)
  }
}

/** Throws `device_offline`, with the reason that the state gives. */
export function needOnline(state: DeviceState): void {
  if (state.online) return
  const why = state.problem === null ? "" : ` ${state.problem.message}`
  throw new AppError("device_offline", `${formatAddress(state)} is offline.${why}`)
}

/** The call that completes the write, and those before it. */
function splitWrite(
  request: Omit<WriteRequest, "bytes">,
  bytes: Uint8Array,
): { readonly leading: readonly WriteRequest[]; readonly last: WriteRequest } {
  const parts = Math.ceil(bytes.byteLength / maxChunkBytes)
  if (parts <= 1) return { leading: [], last: { ...request, bytes } }
  const partOf = (part: number): WriteRequest => ({
    ...request,
    bytes: bytes.subarray(part * maxChunkBytes, (part + 1) * maxChunkBytes),
    part,
    parts,
  })
  return { leading: Array.from({ length: parts - 1 }, (_, part) => partOf(part)), last: partOf(parts - 1) }
}

/** Sends parts, a few at a time, each until it is acknowledged. */
async function sendParts(
  broker: BrokerClient,
  state: DeviceState,
  parts: readonly WriteRequest[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const waiting = parts.values()
  const failed = new AbortController()
  const sendInTurn = async () => {
    for (const request of waiting) {
      const call = { broker, verb: "write", address: state, request } as const
      await callDevice({ ...call, timeoutMs: partTimeoutMs, signal: failed.signal })
      if (signal?.aborted) throw takenBack()
    }
  }
  try {
    await Promise.all(Array.from({ length: partWindow }, sendInTurn))
  } catch (error) {
    // The other parts are of no use any more.
    failed.abort()
    throw error
  }
}

function takenBack(): AppError {
  return new AppError("cancelled", "It was taken back before it was sent whole.")
}
