import { AppError, formatAddress } from "@serialcast/contract"
import type { DeviceClient } from "@serialcast/device-stream"
import type { Clock } from "@serialcast/primitives"
import { closestName } from "../config/closest-name.ts"
import type { Logger } from "../log/logger.ts"

/** Agents that start together with this service have announced their devices by then, in milliseconds. */
const announcedMs = 5_000

export interface UnknownDeviceOptions {
  /** `<gateway>/<device>` */
  readonly address: string
  readonly devices: DeviceClient
  readonly clock: Clock
  readonly log: Logger
}

/** What is wrong while no gateway has announced a device, with the one that was meant, if there is one like it. */
export function unknownDevice(address: string, { devices }: DeviceClient): AppError {
  const meant = closestName(address, devices.list().map(formatAddress))
  const hint = meant === undefined ? "" : `; did you mean ${meant}?`
  return new AppError("unknown_device", `No gateway has announced the device ${address} yet${hint || "."}`)
}

/** Says once in the log, a moment after the start, that no gateway has announced the device. */
export function tellUnknownDevice({ address, devices, clock, log }: UnknownDeviceOptions): Disposable {
  if (devices.devices.get(address) !== undefined) return { [Symbol.dispose]() {} }
  return clock.startTimer(announcedMs, () => {
    if (devices.devices.get(address) !== undefined) return
    const { code, message } = unknownDevice(address, devices)
    log.warn({ device: address, code, reason: message }, "a listener waits for its device")
  })
}
