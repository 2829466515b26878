import { AppError, type Receipt } from "@serialcast/contract"
import type { DeviceClient } from "@serialcast/device-stream"
import {
  after,
  type Clock,
  createDeferred,
  createWakeup,
  type Deferred,
  msUntil,
} from "@serialcast/primitives"

// A stopping process has 5 s in all; what a device has not taken by then is not waited for.
const finishMs = 1_500

export interface WriteRequest {
  /** `<gateway>/<device>` */
  readonly address: string
  readonly bytes: Uint8Array
  readonly by: string
  readonly ttlMs?: number | undefined
  /** The fence of the lease it is made under. */
  readonly lease?: string | undefined
}

/** The writes that HTTP clients wait for. */
export interface AcceptedWrites {
  /** Resolves when the device has the bytes. Throws as `Device.write`, and `overloaded` once the service stops. */
  write(request: WriteRequest): Promise<Receipt>
  /** Accepts no more, gives those that are accepted a little time, and refuses the rest as `no_reply`. */
  finish(): Promise<void>
}

export function createAcceptedWrites(devices: DeviceClient, clock: Clock): AcceptedWrites {
  const waiting = new Set<Deferred<Receipt>>()
  const settled = createWakeup()
  let isFinishing = false
  return {
    async write({ address, bytes, ...options }) {
      if (isFinishing) throw new AppError("overloaded", "The service is stopping; it takes no more writes.")
      // One for each write: a promise that all of them raced against would keep something of each for ever.
      const outcome = createDeferred<Receipt>()
      waiting.add(outcome)
      devices.device(address).write(bytes, options).then(outcome.resolve, outcome.reject)
      try {
        return await outcome.promise
      } finally {
        waiting.delete(outcome)
        settled.wake()
      }
    },
    async finish() {
      isFinishing = true
      const endMs = after(clock.monotonicMs(), finishMs)
      while (waiting.size > 0 && msUntil(clock, endMs) > 0) {
        await settled.wait({ timeout: { clock, ms: msUntil(clock, endMs) } })
      }
      const error = new AppError("no_reply", "The service stopped before the device had taken everything.")
      for (const { reject } of waiting) reject(error)
    },
  }
}
