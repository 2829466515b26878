import type { DeviceClient } from "@serialcast/device-stream"
import { after, type Clock, createWakeup, msUntil } from "@serialcast/primitives"

// An embedded broker and simulated devices are there within milliseconds. A broker or port that is not is shown as such.
const patienceMs = 1_000

export interface AwaitedDevices {
  /** Others may have devices on the same broker. */
  readonly gateway: string
  /** How many are configured. */
  readonly count: number
}

/** Resolves when every configured device is open or has said why not, or when that takes too long to wait for. */
export async function awaitDevices(
  { devices }: Pick<DeviceClient, "devices">,
  { gateway, count }: AwaitedDevices,
  clock: Clock,
): Promise<void> {
  const changed = createWakeup()
  const forget = devices.onChange(() => changed.wake())
  const endMs = after(clock.monotonicMs(), patienceMs)
  const isSettled = () => {
    const configured = devices.list().filter((state) => state.configured && state.gateway === gateway)
    return configured.length >= count && configured.every(({ online, problem }) => online || problem !== null)
  }
  while (!isSettled() && msUntil(clock, endMs) > 0) {
    await changed.wait({ timeout: { clock, ms: msUntil(clock, endMs) } })
  }
  forget()
}
