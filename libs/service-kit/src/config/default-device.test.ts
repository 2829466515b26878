import { expect, test } from "vitest"
import { defaultDevice } from "./default-device.ts"
import { loadConfig } from "./load-config.ts"

test("the default device is the configured one, else the only one, else the demo", () => {
  const config = loadConfig({ env: { SERIALCAST_GATEWAY: "box" }, directory: "/nonexistent" })
  const device = {
    port: "sim:echo",
    baudRate: 9600,
    dataBits: 8,
    parity: "none",
    stopBits: 1,
    flowControl: "none",
    framing: null,
    charDelayMs: 0,
    lineDelayMs: 0,
    holdLimitMs: null,
  } as const
  expect(defaultDevice(config)).toBe("box/demo-echo")
  expect(defaultDevice({ ...config, devices: { uno: device } })).toBe("box/uno")
  expect(defaultDevice({ ...config, devices: { uno: device, gps: device } })).toBe("box/demo-echo")
  const http = { ...config.http, defaultDevice: "other/gps" }
  expect(defaultDevice({ ...config, http, devices: { uno: device } })).toBe("other/gps")
})
