import { systemClock } from "@serialcast/primitives"
import { eventually, FakeClock, openPty } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { chooseDriver } from "./choose-driver.ts"
import { defaultSettings } from "./default-settings.ts"
import { PortRecord } from "./testing/port-record.ts"

test("paths, device servers and simulated devices have a driver", () => {
  const clock = new FakeClock()
  const simulated = ["sim:echo", "sim:modem", "sim:sensor", "sim:micropython", "sim:micropython?ring=64"]
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
    "port: expected a path like /dev/ttyUSB0, tcp://host:port, rfc2217://host:port, sim:echo, sim:micropython, sim:modem or sim:sensor; found ttyUSB0",
  )
  for (const port of [
    "sim:toaster",
    "sim:micropython?ring=0",
    "tcp://nowhere",
    "rfc2217://nowhere",
    "tcp://[::1:4001",
    "tcp://moxa:0",
    "rfc2217://moxa:65536",
  ]) {
    expect(() => chooseDriver(port, new FakeClock())).toThrow(/^port: expected/)
  }
})

/** How long 100 bytes take that are sent one by one, each when the one before was read. */
async function timeOfTrickle(areSilencesTold: boolean): Promise<number> {
  await using pty = await openPty()
  const heard = new PortRecord()
  const driver = chooseDriver(pty.path, systemClock, { areSilencesTold })
  const port = await driver.open(defaultSettings, heard)
  const startMs = systemClock.monotonicMs()
  for (let count = 1; count <= 100; count++) {
    await pty.write(Uint8Array.of(count))
    await eventually(() => expect(heard.bytes.byteLength).toBe(count), { intervalMs: 1 })
  }
  await port.close()
  return systemClock.monotonicMs() - startMs
}

test("a port whose silences are told is read without the rests of others, which take a second of 100 small reads", async () => {
  const restedMs = await timeOfTrickle(false)
  expect(restedMs).toBeGreaterThan(1_000)
  expect(await timeOfTrickle(true)).toBeLessThan(restedMs)
})
