import { AppError, type DeviceState, formatAddress } from "@serialcast/contract"
import type { Device, DeviceClient, DeviceDirectory } from "@serialcast/device-stream"
import type { Request } from "express"

/** The device that a path names. Throws `unknown_device` for an address that no gateway has announced. */
export function knownDevice(devices: DeviceDirectory, { params }: Request): DeviceState {
  const address = formatAddress({ gateway: levelOf(params["gateway"]), device: levelOf(params["device"]) })
  const state = devices.get(address)
  if (state !== undefined) return state
  throw new AppError("unknown_device", `There is no device ${JSON.stringify(address)}.`)
}

/** As `knownDevice`, for what is to be done with it. */
export function deviceOf(request: Request, { devices }: { readonly devices: DeviceClient }): Device {
  return devices.device(formatAddress(knownDevice(devices.devices, request)))
}

// Express gives an array for wildcards only, which the paths do not have.
function levelOf(param: string | string[] | undefined): string {
  return typeof param === "string" ? param : ""
}
