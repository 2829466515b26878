import type { DeviceClient } from "@serialcast/device-stream"
import { createWakeup } from "@serialcast/primitives"

/**
 * Resolves when a gateway has announced `address`, or `signal` is aborted: listeners start before agents do, and may name
 * devices that come later.
 */
export async function untilKnown(devices: DeviceClient, address: string, signal: AbortSignal): Promise<void> {
  const changed = createWakeup()
  const forget = devices.devices.onChange(() => changed.wake())
  try {
    while (!signal.aborted && devices.devices.get(address) === undefined) await changed.wait({ signal })
  } finally {
    forget()
  }
}
