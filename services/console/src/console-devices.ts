import type { Arrivals, Device, DeviceClient } from "@serialcast/device-stream"

/** The part of a device client that the console uses. */
export interface ConsoleDevices extends Pick<DeviceClient, "devices" | "isConnected" | "whenReady"> {
  device(address: string): Pick<Device, "read" | "write">
}

/**
 * `devices`, where whoever asks before the gateways have told of theirs waits: for a moment after its start a process knows
 * no device at all, and the page would be told that its own is not there. Throws as `Arrivals.need`.
 */
export function createPatientDevices(
  devices: ConsoleDevices,
  arrivals: Arrivals,
  stopping: AbortSignal,
): ConsoleDevices {
  return {
    devices: devices.devices,
    get isConnected() {
      return devices.isConnected
    },
    whenReady: (timeoutMs) => devices.whenReady(timeoutMs),
    device: (address) => ({
      async *read(options) {
        await arrivals.need(address, options.signal)
        yield* devices.device(address).read(options)
      },
      async write(bytes, options) {
        await arrivals.need(address, stopping)
        return await devices.device(address).write(bytes, options)
      },
    }),
  }
}
