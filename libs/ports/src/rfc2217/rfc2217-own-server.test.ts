import { systemClock } from "@serialcast/primitives"
import { eventually } from "@serialcast/testkit"
import { describe, expect, onTestFinished, test } from "vitest"
import { defaultSettings } from "../default-settings.ts"
import { checkDriver, type DriverRig } from "../testing/check-driver.ts"
import { checkGivingBack } from "../testing/check-giving-back.ts"
import { PortRecord } from "../testing/port-record.ts"
import { createRfc2217Driver } from "./rfc2217-driver.ts"
import { TestCoreServer } from "./testing/test-core-server.ts"

async function openPort(settings = defaultSettings) {
  const server = await TestCoreServer.start()
  onTestFinished(() => server.stop())
  const heard = new PortRecord()
  const notes: string[] = []
  const onNote = (note: string) => notes.push(note)
  const port = await createRfc2217Driver(server.url, { clock: systemClock, onNote }).open(settings, heard)
  onTestFinished(() => port.close())
  return { port, heard, notes, server }
}

async function openRig(): Promise<DriverRig> {
  const server = await TestCoreServer.start()
  return {
    driver: createRfc2217Driver(server.url, { clock: systemClock }),
    deviceReads: (count) => server.deviceReads(count),
    deviceWrites: (bytes) => server.deviceWrites(bytes),
    passTime: (work) => work,
    tooManyBytes: 32 * 1024 * 1024,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

describe("a port behind the server of our own tunnels does what every driver promises", () => {
  checkDriver(openRig)
  checkGivingBack(openRig)
})

test("all settings are taken, at the opening and later, and nothing else is touched", async () => {
  const first = {
    baudRate: 65_280,
    dataBits: 7,
    parity: "mark",
    stopBits: 2,
    flowControl: "hardware",
  } as const
  const { port, notes, server } = await openPort(first)
  const others = { inboundFlowControl: "none", break: false, dtr: true, rts: true }
  expect(server.values).toEqual({ ...first, ...others })
  const second = { ...first, baudRate: 3_000_000, parity: "space", flowControl: "software" } as const
  await port.configure(second)
  expect(server.values).toEqual({ ...second, ...others })
  expect(notes).toEqual([])
})

test("lines and breaks are set and told, and a purge is passed on", async () => {
  const { port, server } = await openPort()
  const lines = { dtr: true, rts: true, cts: true, dsr: false, ri: false, dcd: false }
  expect(await port.readLines()).toEqual(lines)
  await port.signal({ dtr: false, rts: false, break: true })
  expect(server.values).toMatchObject({ dtr: false, rts: false, break: true })
  server.drive({ cts: false })
  await eventually(async () =>
    expect(await port.readLines()).toEqual({ ...lines, dtr: false, rts: false, cts: false }),
  )
  await port.purge()
  expect(server.purges).toEqual(["tx"])
})

test("1 MiB of all byte values goes both ways at the same time", async () => {
  const { port, heard, server } = await openPort()
  const bytes = Uint8Array.from({ length: 1024 * 1024 }, (_, at) => at ^ (at >> 8))
  const reading = server.deviceReads(bytes.byteLength)
  await Promise.all([port.write(bytes), server.deviceWrites(bytes)])
  await port.drain()
  expect(Buffer.compare(await reading, bytes)).toBe(0)
  await eventually(() => expect(heard.bytes.byteLength).toBe(bytes.byteLength))
  expect(Buffer.compare(heard.bytes, bytes)).toBe(0)
})

test("a write is drained when the server has read it all, not before", async () => {
  const { port, server } = await openPort()
  const bytes = new Uint8Array(256 * 1024).fill(0xff)
  await port.write(bytes)
  let isDrained = false
  const drained = port.drain().then(() => {
    isDrained = true
  })
  // The server stops reading at a quarter.
  await server.deviceReads(1)
  expect(isDrained).toBe(false)
  await server.deviceReads(bytes.byteLength - 1)
  await drained
})
