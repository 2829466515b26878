import { loadConfig } from "@serialcast/service-kit"
import { expect, test } from "vitest"
import { deviceAt, devicesOf } from "./config.ts"

const config = loadConfig({ env: {}, directory: "/nowhere" })

test("without configured devices there are three simulated ones", () => {
  expect(Object.keys(devicesOf(config))).toEqual(["demo-echo", "demo-micropython", "demo-sensor"])
})

test("configured devices stand alone", () => {
  const devices = { uno: deviceAt("/dev/ttyUSB0") }
  expect(devicesOf({ ...config, devices })).toEqual(devices)
})
