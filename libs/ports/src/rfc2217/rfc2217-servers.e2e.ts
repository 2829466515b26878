import { execFileSync } from "node:child_process"
import { systemClock } from "@serialcast/primitives"
import { eventually } from "@serialcast/testkit"
import { describe, expect, onTestFinished, test } from "vitest"
import { defaultSettings } from "../default-settings.ts"
import { checkDriver, type DriverRig } from "../testing/check-driver.ts"
import { PortRecord } from "../testing/port-record.ts"
import { createRfc2217Driver } from "./rfc2217-driver.ts"
import { type PyserialServer, startPyserialServer } from "./testing/start-pyserial-server.ts"
import { type Ser2net, startSer2net } from "./testing/start-ser2net.ts"

function rigOf(server: Ser2net | PyserialServer): DriverRig {
  const { pty, url } = server
  return {
    driver: createRfc2217Driver(url, { clock: systemClock }),
    deviceReads: (count) => pty.read(count),
    deviceWrites: (bytes) => pty.write(bytes),
    passTime: (work) => work,
    tooManyBytes: 40 * 1024 * 1024,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

async function openPort(server: Ser2net | PyserialServer, settings = defaultSettings) {
  onTestFinished(() => server[Symbol.asyncDispose]())
  const heard = new PortRecord()
  const notes: string[] = []
  const onNote = (note: string) => notes.push(note)
  const port = await createRfc2217Driver(server.url, { clock: systemClock, onNote }).open(settings, heard)
  onTestFinished(() => port.close())
  return { port, heard, notes, pty: server.pty, url: server.url }
}

/** What the terminal is set to, in the words of stty. */
function sttyOf(path: string): string {
  return execFileSync("stty", ["-F", path, "-a"], { encoding: "utf8" })
}

describe("a port behind ser2net does what every driver promises", () => {
  checkDriver(async () => rigOf(await startSer2net()))
})

describe("a port behind pySerial's server does what every driver promises", () => {
  checkDriver(async () => rigOf(await startPyserialServer()))
})

test("settings reach the terminal behind ser2net, at the opening and later", async () => {
  const { port, pty } = await openPort(await startSer2net(), { ...defaultSettings, baudRate: 57_600 })
  expect(sttyOf(pty.path)).toMatch(/speed 57600 baud/)
  await port.configure({ ...defaultSettings, baudRate: 19_200, stopBits: 2, flowControl: "software" })
  const words = sttyOf(pty.path)
  expect(words).toMatch(/speed 19200 baud/)
  expect(words).toMatch(/ cstopb /)
  expect(words).toMatch(/ ixon ixoff/)
  await port.configure({ ...defaultSettings, parity: "mark" })
  expect(sttyOf(pty.path)).toMatch(/ parodd cmspar /)
  await port.configure({ ...defaultSettings, parity: "space" })
  expect(sttyOf(pty.path)).toMatch(/ -parodd cmspar /)
})

test("ser2net tells at once that a terminal has no modem lines, and can make a break", async () => {
  const { port } = await openPort(await startSer2net())
  expect(await port.readLines()).toBeNull()
  await expect(port.signal({ dtr: false })).rejects.toMatchObject({ code: "no_modem_lines" })
  await port.signal({ break: true })
  await port.signal({ break: false })
})

test("modem lines are set and read through pySerial's server, which is not asked for them again and again", async () => {
  const { port } = await openPort(await startPyserialServer())
  expect(await port.readLines()).toEqual({ dtr: true, rts: true, cts: true, dsr: true, ri: false, dcd: true })
  await port.signal({ rts: false })
  await eventually(async () => expect(await port.readLines()).toMatchObject({ rts: false, cts: false }))
  await port.signal({ dtr: false, rts: true, break: true })
  await eventually(async () =>
    expect(await port.readLines()).toEqual({
      dtr: false,
      rts: true,
      cts: true,
      dsr: false,
      ri: false,
      dcd: false,
    }),
  )
  await port.signal({ break: false })
})

test.each([
  ["ser2net", startSer2net],
  ["pySerial's server", startPyserialServer],
])("1 MiB of all byte values goes both ways at the same time through %s", async (_name, start) => {
  const { port, heard, pty } = await openPort(await start())
  const bytes = Uint8Array.from({ length: 1024 * 1024 }, (_, at) => at ^ (at >> 8))
  const reading = pty.read(bytes.byteLength, { timeoutMs: 50_000 })
  await Promise.all([port.write(bytes), pty.write(bytes, { timeoutMs: 50_000 })])
  await port.drain()
  expect(Buffer.compare(await reading, bytes)).toBe(0)
  await eventually(() => expect(heard.bytes.byteLength).toBe(bytes.byteLength), { timeoutMs: 20_000 })
  expect(Buffer.compare(heard.bytes, bytes)).toBe(0)
})

test("a purge is answered by both servers", async () => {
  for (const start of [startSer2net, startPyserialServer]) {
    const { port } = await openPort(await start())
    await port.purge()
  }
})

test("a device that ser2net cannot open is told in its words", async () => {
  const server = await startSer2net()
  onTestFinished(() => server[Symbol.asyncDispose]())
  await server.pty.unplug()
  const opening = createRfc2217Driver(server.url, { clock: systemClock }).open(
    defaultSettings,
    new PortRecord(),
  )
  await expect(opening).rejects.toMatchObject({
    code: "open_failed",
    message: expect.stringMatching(/failure|closed|reset/i),
  })
})
