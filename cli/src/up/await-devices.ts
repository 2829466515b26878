import type { DeviceClient } from "@serialcast/device-stream"
import { after, type Clock, createWakeup, msUntil } from "@serialcast/primitives"

// An embedded broker and simulated devices are there within milliseconds. A broker or port that is not is shown as such.
const patienceMs = 1_000

/** Resolves when every configured device is open or has said why not, or when that takes too long to wait for. */
export async function awaitDevices({ devices }: DeviceClient, expected: number, clock: Clock): Promise<void> {
  const changed = createWakeup()
  const forget = devices.onChange(() => changed.wake())
  const endMs = after(clock.monotonicMs(), patienceMs)
  const isSettled = () => {
    const configured = devices.list().filter((state) => state.configured)
    return (
      configured.length >= expected && configured.every(({ online, problem }) => online || problem !== null)
    )
  }
  while (!isSettled() && msUntil(clock, endMs) > 0) {
    await changed.wait({ timeout: { clock, ms: msUntil(clock, endMs) } })
  }
  forget()
}
