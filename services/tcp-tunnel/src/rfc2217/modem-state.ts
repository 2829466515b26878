import type { DeviceState } from "@serialcast/contract"
import type { ModemState } from "@serialcast/rfc2217"

/**
 * The modem lines as clients are told them. Those of a device that is away are off. A port without lines is told as one
 * whose device is there and always ready: clients that look at CTS or DCD before they send would wait for ever.
 */
export function modemStateOf(device: Pick<DeviceState, "online" | "lines"> | undefined): ModemState {
  if (device === undefined || !device.online) return { cts: false, dsr: false, ri: false, dcd: false }
  if (device.lines === null) return { cts: true, dsr: true, ri: false, dcd: true }
  const { cts = false, dsr = false, ri = false, dcd = false } = device.lines
  return { cts, dsr, ri, dcd }
}
