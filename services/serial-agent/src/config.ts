import { defaultSettings } from "@serialcast/ports"
import type { Config, DeviceConfig } from "@serialcast/service-kit"

/** What a device gets that nobody configured: the port's settings, and what is the agent's. */
const deviceDefaults = {
  ...defaultSettings,
  framing: null,
  charDelayMs: 0,
  lineDelayMs: 0,
  holdLimitMs: null,
}

/** A device of which only the port is known. */
export function deviceAt(port: string): DeviceConfig {
  return { port, ...deviceDefaults }
}

const demoDevices: Readonly<Record<string, DeviceConfig>> = {
  "demo-echo": deviceAt("sim:echo"),
  "demo-micropython": deviceAt("sim:micropython"),
  "demo-sensor": deviceAt("sim:sensor"),
}

/** The devices to open: the configured ones, or three simulated ones so that everything can be tried without any. */
export function devicesOf({ devices }: Config): Readonly<Record<string, DeviceConfig>> {
  return Object.keys(devices).length > 0 ? devices : demoDevices
}
