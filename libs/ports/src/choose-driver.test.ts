import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { chooseDriver } from "./choose-driver.ts"

test("paths, device servers and simulated devices have a driver", () => {
  const clock = new FakeClock()
  const simulated = ["sim:echo", "sim:modem", "sim:sensor"]
  const remote = [
    "tcp://moxa:4001",
    "tcp://192.168.1.5:4001",
    "tcp://[fe80::1%eth0]:4001",
    "rfc2217://[::1]:2217",
  ]
  for (const port of ["/dev/ttyUSB0", "/dev/serial/by-id/x", "COM3", ...simulated, ...remote]) {
    expect(chooseDriver(port, clock)).toHaveProperty("open")
  }
})

test("anything else is a clear problem of the configuration", () => {
  expect(() => chooseDriver("ttyUSB0", new FakeClock())).toThrow(
    "port: expected a path like /dev/ttyUSB0, tcp://host:port, rfc2217://host:port, sim:echo, sim:modem or sim:sensor; found ttyUSB0",
  )
  for (const port of [
    "sim:toaster",
    "tcp://nowhere",
    "rfc2217://nowhere",
    "tcp://[::1:4001",
    "tcp://moxa:0",
    "rfc2217://moxa:65536",
  ]) {
    expect(() => chooseDriver(port, new FakeClock())).toThrow(/^port: expected/)
  }
})
