import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { chooseDriver } from "./choose-driver.ts"

test("paths and simulated devices have a driver", () => {
  const clock = new FakeClock()
  for (const port of ["/dev/ttyUSB0", "/dev/serial/by-id/x", "COM3", "sim:echo", "sim:sensor"]) {
    expect(chooseDriver(port, clock)).toHaveProperty("open")
  }
})

test("anything else is a clear problem of the configuration", () => {
  expect(() => chooseDriver("ttyUSB0", new FakeClock())).toThrow(
    "port: expected a path like /dev/ttyUSB0, sim:echo or sim:sensor; found ttyUSB0",
  )
  expect(() => chooseDriver("sim:toaster", new FakeClock())).toThrow(/^port: expected/)
})
