import type { Device, DeviceClient } from "@serialcast/device-stream"

/** The part of a device client that the console uses. */
export interface ConsoleDevices extends Pick<DeviceClient, "devices" | "isConnected"> {
  device(address: string): Pick<Device, "read" | "write">
}
