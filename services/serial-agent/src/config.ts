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

/** The same with what is not the port's but the agent's. */
const deviceDefaults = { ...defaultSettings, framing: null, charDelayMs: 0, lineDelayMs: 0 }

/** A device of which only the port is known. */
export function deviceAt(port: string): DeviceConfig {
  return { port, ...deviceDefaults }
}

const demoDevices: Readonly<Record<string, DeviceConfig>> = {
  "demo-echo": deviceAt("sim:echo"),
  "demo-sensor": deviceAt("sim:sensor"),
}

/** The devices to open: the configured ones, or two simulated ones so that everything can be tried without any. */
export function devicesOf({ devices }: Config): Readonly<Record<string, DeviceConfig>> {
  return Object.keys(devices).length > 0 ? devices : demoDevices
}
