import type { PortSettings } from "@serialcast/contract"
import type { Config, DeviceConfig } from "@serialcast/service-kit"

/** What a port gets that nobody configured: the setting most boards use. */
export const defaultSettings: PortSettings = {
  baudRate: 115_200,
  dataBits: 8,
  parity: "none",
  stopBits: 1,
  flowControl: "none",
}

const demoDevices: Readonly<Record<string, DeviceConfig>> = {
  "demo-echo": { port: "sim:echo", ...defaultSettings },
  "demo-sensor": { port: "sim:sensor", ...defaultSettings },
}

/** The devices to open: the configured ones, or two simulated ones so that everything can be tried without any. */
export function devicesOf({ devices }: Config): Readonly<Record<string, DeviceConfig>> {
  return Object.keys(devices).length > 0 ? devices : demoDevices
}
