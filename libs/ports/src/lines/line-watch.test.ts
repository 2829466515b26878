import type { ModemLines } from "@serialcast/contract"
import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { defaultSettings } from "../default-settings.ts"
import type { OpenPort } from "../port-driver.ts"
import { createSimDriver } from "../sim/sim-driver.ts"
import { simEcho } from "../sim/sim-echo.ts"
import { simModem } from "../sim/sim-modem.ts"
import { PortRecord } from "../testing/port-record.ts"
import { startLineWatch } from "./line-watch.ts"

function watch(port: OpenPort, clock: FakeClock) {
  const told: ModemLines[] = []
  const ending = new AbortController()
  startLineWatch({ port, clock, onChange: (lines) => told.push(lines), signal: ending.signal })
  return { told, ending }
}

test("the lines are told as they are found, then within a quarter of a second of each change by the device", async () => {
  const clock = new FakeClock()
  const port = await createSimDriver(simModem, clock).open(defaultSettings, new PortRecord())
  const { told, ending } = watch(port, clock)
  await clock.advanceAsync(5_000)
  const up = { dtr: true, rts: true, cts: true, dsr: true, dcd: true, ri: false }
  expect(told).toEqual([up])
  await port.signal({ rts: false })
  await clock.advanceAsync(250)
  expect(told.slice(1)).toEqual([{ ...up, rts: false, cts: false }])
  ending.abort()
  await port.signal({ rts: true })
  await clock.advanceAsync(1_000)
  expect(told).toHaveLength(2)
  await port.close()
  expect(clock.pendingTimers).toBe(0)
})

test("what the host alone changed is not told: it knows", async () => {
  const clock = new FakeClock()
  const deaf = { ...simModem, drive: () => ({ cts: true }) }
  const port = await createSimDriver(deaf, clock).open(defaultSettings, new PortRecord())
  const { told, ending } = watch(port, clock)
  await clock.advanceAsync(250)
  await port.signal({ dtr: false, rts: false })
  await clock.advanceAsync(1_000)
  expect(told).toEqual([{ dtr: true, rts: true, cts: true }])
  ending.abort()
  await port.close()
})

test("a port without lines is not looked at any more", async () => {
  const clock = new FakeClock()
  const without = await createSimDriver(simEcho, clock).open(defaultSettings, new PortRecord())
  const { told } = watch(without, clock)
  await clock.advanceAsync(0)
  expect([told.length, clock.pendingTimers]).toEqual([0, 0])
  await without.close()
})

test("a port that fails to answer once is asked again", async () => {
  const clock = new FakeClock()
  const port = await createSimDriver(simModem, clock).open(defaultSettings, new PortRecord())
  const { told, ending } = watch(port, clock)
  await clock.advanceAsync(0)
  const readLines = port.readLines.bind(port)
  port.readLines = () => Promise.reject(new Error("Error: Protocol error, cannot get"))
  await clock.advanceAsync(1_000)
  port.readLines = readLines
  await port.signal({ rts: false })
  await clock.advanceAsync(250)
  expect(told).toMatchObject([{ cts: true }, { cts: false }])
  ending.abort()
  await port.close()
  await clock.advanceAsync(0)
  expect(clock.pendingTimers).toBe(0)
})
