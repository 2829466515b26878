import type { BrokerClient } from "@serialcast/broker-client"
import {
  type DeviceAddress,
  type Lease,
  type LeaseOutcome,
  type LeaseRequest,
  parseLease,
  type ReleaseRequest,
} from "@serialcast/contract"
import { callDevice } from "../device-call.ts"

const replyMs = 10_000

export interface LeaseOptions {
  /** Becomes the holder's name, which everyone sees. */
  readonly by: string
  /** How long it lasts unless it is renewed, in milliseconds. */
  readonly ttlMs: number
  /** Takes it from whoever holds it. */
  readonly steal?: boolean | undefined
  /** What programs do under it: terminals show this instead of what the device says. Default: a person writes. */
  readonly purpose?: string | undefined
  /** Asked when it is given back: how it ended what it was taken for. Default: it is done. */
  readonly outcome?: (() => LeaseOutcome | undefined) | undefined
}

export interface ReleaseOptions {
  readonly by: string
  readonly fence: string
  /** Of what the lease was taken for. Default: it is done. */
  readonly outcome?: LeaseOutcome | undefined
}

/** Takes the lease of a device, or renews the one with `fence`. Throws `leased`, or `lease_lost` for a fence of the past. */
export async function callLease(
  broker: BrokerClient,
  address: DeviceAddress,
  options: LeaseOptions & { readonly fence?: string | undefined; readonly timeoutMs?: number },
): Promise<Lease> {
  const { by, ttlMs, steal = false, purpose, fence, timeoutMs = replyMs } = options
  const request: LeaseRequest = { id: crypto.randomUUID(), by, ttlMs, lease: fence, steal, purpose }
  return parseLease(await callDevice({ broker, verb: "lease", address, request, timeoutMs }))
}

/** Gives a lease back. Throws `lease_lost` when it is not held any more. */
export async function callRelease(
  broker: BrokerClient,
  address: DeviceAddress,
  { by, fence, outcome }: ReleaseOptions,
): Promise<void> {
  const request: ReleaseRequest = { id: crypto.randomUUID(), by, lease: fence, outcome }
  await callDevice({ broker, verb: "release", address, request, timeoutMs: replyMs })
}
