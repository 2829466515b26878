import { formatAddress } from "@serialcast/contract"
import type { DeviceDirectory } from "@serialcast/device-stream"
import { describeState } from "./describe-event.ts"

/**
 * Calls `tell` with one line whenever the device comes, goes, or is offline for another reason than before; first now
 * if it is offline. Answers the function that ends it.
 */
export function followState(
  devices: DeviceDirectory,
  address: string,
  tell: (line: string) => void,
): () => void {
  let known = "online"
  const look = () => {
    const state = devices.get(address)
    const now = state === undefined ? "removed" : state.online ? "online" : (state.problem?.code ?? "offline")
    if (now === known) return
    known = now
    tell(state === undefined ? `${address} was removed from its gateway` : describeState(state))
  }
  look()
  return devices.onChange((state) => {
    if (formatAddress(state) === address) look()
  })
}
