import { type DeviceState, formatAddress } from "@serialcast/contract"
import type { Device } from "@serialcast/device-stream"
import type { Request, Response } from "express"
import { type AwaitDeps, awaitDevice } from "../await-device.ts"

/** The device that a path names. Throws as `awaitDevice`. */
export async function knownDevice(
  { params }: Request,
  response: Response,
  deps: AwaitDeps,
): Promise<DeviceState> {
  const address = formatAddress({ gateway: levelOf(params["gateway"]), device: levelOf(params["device"]) })
  return await awaitDevice(address, response, deps)
}

/** As `knownDevice`, for what is to be done with it. */
export async function deviceOf(request: Request, response: Response, deps: AwaitDeps): Promise<Device> {
  return deps.devices.device(formatAddress(await knownDevice(request, response, deps)))
}

// Express gives an array for wildcards only, which the paths do not have.
function levelOf(param: string | string[] | undefined): string {
  return typeof param === "string" ? param : ""
}
