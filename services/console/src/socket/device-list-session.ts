import type { DeviceState } from "@serialcast/contract"
import { sendLatest } from "./send-latest.ts"
import type { Session, SessionOptions } from "./session.ts"

/** A text frame of `/ws/devices`: every known device, sorted by address. */
export interface DeviceListMessage {
  readonly devices: readonly DeviceState[]
}

/** Sends the list of devices at once and after each change. What the client says is ignored. */
export function startDeviceListSession({ paced, clock, devices }: SessionOptions): Session {
  return {
    ended: sendLatest({
      socket: paced,
      clock,
      latest: () => JSON.stringify({ devices: devices.devices.list() } satisfies DeviceListMessage),
      subscribe(changed) {
        changed()
        return devices.devices.onChange(changed)
      },
    }),
  }
}
