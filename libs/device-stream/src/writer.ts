import type { BrokerClient } from "@serialcast/broker-client"
import {
  AppError,
  type DeviceState,
  formatAddress,
  maxChunkBytes,
  maxWriteBytes,
  parseReceipt,
  type Receipt,
  type WriteRequest,
} from "@serialcast/contract"
import { callDevice } from "./device-call.ts"

const defaultTtlMs = 30_000
const graceMs = 10_000
const partTimeoutMs = 10_000
/** Parts on the way at once: enough to hide the round trip, little enough to leave the connection to others. */
const partWindow = 8
// Start bit, eight data bits, stop bit; a slow adapter gets half as much time again.
const wireBitsPerByte = 10
const slowness = 1.5

export interface WriteOptions {
  /** The principal who writes. */
  readonly by: string
  /** How long the write may wait for others before it is refused as `expired`, in milliseconds. */
  readonly ttlMs?: number | undefined
  /** Names the write, so that a repeat is written once. */
  readonly id?: string | undefined
}

/**
 * Writes `bytes` as one atomic write and resolves when they are drained to the port. Throws `too_large`,
 * `device_offline`, `broker_offline`, `overloaded`, `expired`, `aborted`, or `no_reply` when the outcome is unknown.
 */
export async function writeDevice(
  broker: BrokerClient,
  state: DeviceState,
  bytes: Uint8Array,
  { by, ttlMs = defaultTtlMs, id = crypto.randomUUID() }: WriteOptions,
): Promise<Receipt> {
  if (bytes.byteLength > maxWriteBytes) {
    throw new AppError(
      "too_large",
      `One write carries at most ${maxWriteBytes} bytes, found ${bytes.byteLength}.`,
    )
  }
  if (!state.online) {
    const why = state.problem === null ? "" : ` ${state.problem.message}`
    throw new AppError("device_offline", `${formatAddress(state)} is offline.${why}`)
  }
  const request = { id, by, ttlMs, open: state.open }
  const wireMs = (bytes.byteLength * wireBitsPerByte * 1000 * slowness) / state.settings.baudRate
  const last = await sendLeadingParts(broker, state, request, bytes)
  const call = { broker, verb: "write", address: state, request: last } as const
  const timeoutMs = Math.ceil(ttlMs + wireMs + graceMs)
  // The reply to the write as a whole has no part number, whichever part asked for it.
  return parseReceipt(await callDevice({ ...call, timeoutMs, isWhole: true }))
}

/** Sends all parts but the last, each until it is acknowledged, and answers the call that completes the write. */
async function sendLeadingParts(
  broker: BrokerClient,
  state: DeviceState,
  request: Omit<WriteRequest, "bytes">,
  bytes: Uint8Array,
): Promise<WriteRequest> {
  const parts = Math.ceil(bytes.byteLength / maxChunkBytes)
  if (parts <= 1) return { ...request, bytes }
  const partOf = (part: number): WriteRequest => ({
    ...request,
    bytes: bytes.subarray(part * maxChunkBytes, (part + 1) * maxChunkBytes),
    part,
    parts,
  })
  let next = 0
  const failed = new AbortController()
  const sendInTurn = async () => {
    while (next < parts - 1) {
      const call = { broker, verb: "write", address: state, request: partOf(next++) } as const
      await callDevice({ ...call, timeoutMs: partTimeoutMs, signal: failed.signal })
    }
  }
  try {
    await Promise.all(Array.from({ length: partWindow }, sendInTurn))
  } catch (error) {
    // The other parts are of no use any more.
    failed.abort()
    throw error
  }
  return partOf(parts - 1)
}
