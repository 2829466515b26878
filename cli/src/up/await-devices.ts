import type { DeviceClient } from "@serialcast/device-stream"
import { type Clock, createWakeup } from "@serialcast/primitives"

// An embedded broker and simulated devices are there within milliseconds. A broker or port that is not is shown as such.
const patienceMs = 1_000

/** Resolves when every configured device is open or has said why not, or when that takes too long to wait for. */
export async function awaitDevices({ devices }: DeviceClient, expected: number, clock: Clock): Promise<void> {
  const changed = createWakeup()
  const forget = devices.onChange(() => changed.wake())
  const endMs = clock.nowMs() + patienceMs
  const isSettled = () => {
    const configured = devices.list().filter((state) => state.configured)
    return (
      configured.length >= expected && configured.every(({ online, problem }) => online || problem !== null)
    )
  }
  while (!isSettled() && clock.nowMs() < endMs) {
    await changed.wait({ timeout: { clock, ms: endMs - clock.nowMs() } })
  }
  forget()
}
