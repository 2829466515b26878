import type { DeviceState } from "@serialcast/contract"
import { sendLatest } from "./send-latest.ts"
import type { ServedSocket, ServeOptions } from "./served-socket.ts"

/** A text frame of `/ws/devices`: every known device, sorted by address. */
export interface DeviceListMessage {
  readonly devices: readonly DeviceState[]
}

/** Sends the list of devices at once and after each change. What the client says is ignored. */
export function serveDeviceList({ paced, clock, devices }: ServeOptions): ServedSocket {
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
