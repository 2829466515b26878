import { AppError, type DeviceState, formatAddress } from "@serialcast/contract"
import { closestName, didYouMean } from "@serialcast/service-kit"
import { UsageError } from "../command/usage-error.ts"

/**
 * The address of the device that `given` means: `<gateway>/<device>`, or its name alone where one gateway only has such
 * a device; without `given`, the only one. Throws `unknown_device`, or `UsageError` when several are meant.
 */
export function chooseDevice(devices: readonly DeviceState[], given: string | undefined): string {
  const addresses = devices.map(formatAddress)
  if (given === undefined) return theOnly(devices)
  const meant = devices
    .filter((state) => given === formatAddress(state) || given === state.device)
    .map(formatAddress)
  const [address, ...others] = meant
  if (address !== undefined && others.length === 0) return address
  if (address !== undefined) {
    throw new UsageError(`Several gateways have a device ${given}: name one of ${meant.join(", ")}.`)
  }
  const names = given.includes("/") ? addresses : devices.map(({ device }) => device)
  const found = addresses.length === 0 ? "there is none yet" : `there are ${addresses.join(", ")}`
  const hint = didYouMean(closestName(given, names))
  throw new AppError("unknown_device", `There is no device ${JSON.stringify(given)}${hint || `; ${found}`}`)
}

/** Ports that were only found are not meant: nobody reads them. */
function theOnly(devices: readonly DeviceState[]): string {
  const addresses = devices.filter(({ configured }) => configured).map(formatAddress)
  const [address, ...others] = addresses
  if (address === undefined) throw new AppError("unknown_device", "There is no device yet.")
  if (others.length > 0) throw new UsageError(`Name one of the devices: ${addresses.join(", ")}.`)
  return address
}
