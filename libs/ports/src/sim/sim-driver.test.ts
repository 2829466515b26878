import { type Clock, createWakeup } from "@serialcast/primitives"
import { FakeClock } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { defaultSettings } from "../default-settings.ts"
import { checkDriver } from "../testing/check-driver.ts"
import { PortRecord } from "../testing/port-record.ts"
import { createSimDriver, type SimulatedWire } from "./sim-driver.ts"
import { simEcho } from "./sim-echo.ts"
import { simModem } from "./sim-modem.ts"
import { createSimSensor } from "./sim-sensor.ts"

/** Lets the clock run until `work` is settled. */
async function passTime<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  let isSettled = false
  const settled = () => {
    isSettled = true
  }
  work.then(settled, settled)
  while (!isSettled) await clock.advanceAsync(10)
  return await work
}

/** A device that the test plays. */
class PlayedDevice {
  readonly #got: number[] = []
  readonly #changed = createWakeup()
  wire: SimulatedWire | undefined

  async run(wire: SimulatedWire): Promise<void> {
    this.wire = wire
    for (let bytes = await wire.receive(); bytes !== undefined; bytes = await wire.receive()) {
      this.#got.push(...bytes)
      this.#changed.wake()
    }
  }

  async read(count: number): Promise<Uint8Array> {
    while (this.#got.length < count) await this.#changed.wait()
    return Uint8Array.from(this.#got.splice(0, count))
  }
}

test("is as fast as its baud rate however late timers are, in one write or in many", async () => {
  const clock = new FakeClock()
  const late: Clock = {
    nowMs: () => clock.nowMs(),
    nowUs: () => clock.nowUs(),
    monotonicMs: () => clock.monotonicMs(),
    startTimer: (ms, onTime) => clock.startTimer(ms + 7, onTime),
  }
  const heard = new PortRecord()
  const device = new PlayedDevice()
  const settings = { ...defaultSettings, baudRate: 9_600 }
  const port = await createSimDriver(device, late).open(settings, heard)
  const begunMs = clock.monotonicMs()
  const sendAll = async () => {
    for (let piece = 0; piece < 96; piece++) await device.wire?.send(new Uint8Array(10))
  }
  await passTime(clock, sendAll())
  // A second at 960 bytes each second, and the last timer.
  expect(clock.monotonicMs() - begunMs).toBeLessThan(1_040)
  expect(clock.monotonicMs() - begunMs).toBeGreaterThanOrEqual(1_000)
  await passTime(clock, port.close())
})

describe("a simulated port does what every driver promises", () => {
  checkDriver(async () => {
    const clock = new FakeClock()
    const device = new PlayedDevice()
    return {
      driver: createSimDriver(device, clock),
      deviceReads: (count) => device.read(count),
      deviceWrites: async (bytes) => device.wire?.send(bytes),
      passTime: (work) => passTime(clock, work),
      tooManyBytes: 1,
      async [Symbol.asyncDispose]() {},
    }
  })
})

test("the wire is as slow as a real one: 10 bits for each byte", async () => {
  const clock = new FakeClock()
  const heard = new PortRecord()
  const settings = { ...defaultSettings, baudRate: 9_600 }
  const port = await createSimDriver(simEcho, clock).open(settings, heard)
  let isDone = false
  const write = port.write(new Uint8Array(960)).then(() => {
    isDone = true
  })
  await clock.advanceAsync(995)
  expect(isDone).toBe(false)
  await clock.advanceAsync(5)
  expect(isDone).toBe(true)
  await write
  // Echoed as it came off the wire, one step behind.
  expect(heard.bytes.byteLength).toBeGreaterThan(930)
  await clock.advanceAsync(20)
  expect(heard.bytes.byteLength).toBe(960)
  await port.close()
})

test("the echo gives back what it got", async () => {
  const clock = new FakeClock()
  const heard = new PortRecord()
  const port = await createSimDriver(simEcho, clock).open(defaultSettings, heard)
  const sent = Uint8Array.from({ length: 3_000 }, (_, at) => at)
  await passTime(clock, port.write(sent))
  await clock.advanceAsync(1_000)
  expect(heard.bytes).toEqual(sent)
  await port.close()
})

test("the sensor prints a line each second that a plotter can read, and takes what it is sent", async () => {
  const clock = new FakeClock()
  const heard = new PortRecord()
  const port = await createSimDriver(createSimSensor(clock), clock).open(defaultSettings, heard)
  await passTime(clock, port.write(new Uint8Array(300_000)))
  const text = new TextDecoder().decode(heard.bytes)
  const lines = text.split("\r\n").slice(0, -1)
  expect(lines.length).toBeGreaterThan(20)
  for (const [second, line] of lines.entries()) {
    expect(line).toMatch(/^temperature:\d+\.\d\d humidity:\d+\.\d uptime:\d+$/)
    expect(line).toMatch(new RegExp(`uptime:${second}$`))
  }
  await port.close()
  expect(clock.pendingTimers).toBe(0)
})

test("a baud rate that no wire has is refused", async () => {
  const opening = createSimDriver(simEcho, new FakeClock()).open(
    { ...defaultSettings, baudRate: 10 },
    new PortRecord(),
  )
  await expect(opening).rejects.toMatchObject({ code: "open_failed" })
})

test("a device that fails closes its port with its sentence", async () => {
  const heard = new PortRecord()
  const device = { run: () => Promise.reject(new Error("It is out of order.")) }
  await createSimDriver(device, new FakeClock()).open(defaultSettings, heard)
  expect(await heard.closed).toEqual({ reason: "It is out of order." })
})

describe("a simulated modem", () => {
  async function openModem() {
    const clock = new FakeClock()
    const heard = new PortRecord()
    const port = await createSimDriver(simModem, clock).open({ ...defaultSettings, baudRate: 9_600 }, heard)
    return { clock, heard, port }
  }

  test("has its lines looped back as a null modem does", async () => {
    const { port } = await openModem()
    const lines = async () => Object.entries((await port.readLines()) ?? {}).filter(([, isOn]) => isOn)
    const names = async () => (await lines()).map(([name]) => name).join()
    expect(await names()).toBe("dtr,rts,cts,dsr,dcd")
    await port.signal({ dtr: false })
    expect(await names()).toBe("rts,cts")
    await port.signal({ dtr: true, rts: false })
    expect(await names()).toBe("dtr,dsr,dcd")
    await port.signal({})
    expect(await names()).toBe("dtr,dsr,dcd")
    await port.close()
  })

  test("hears a break as one zero byte, however long it lasts", async () => {
    const { clock, heard, port } = await openModem()
    await port.signal({ break: true })
    await port.signal({ break: true })
    await port.signal({ break: false })
    await port.signal({ break: true })
    await clock.advanceAsync(100)
    expect(heard.bytes).toEqual(Uint8Array.of(0, 0))
    await port.close()
  })

  test("is as fast as its settings, those of a write in progress too", async () => {
    const { clock, port } = await openModem()
    const done: number[] = []
    const write = port.write(new Uint8Array(960)).then(() => done.push(clock.monotonicMs()))
    await clock.advanceAsync(500)
    await port.configure({ ...defaultSettings, baudRate: 96_000 })
    await clock.advanceAsync(100)
    await write
    // 500 ms for the first half, a tenth of it for the second, and the step that was on the wire.
    expect(done[0]).toBeGreaterThanOrEqual(550)
    expect(done[0]).toBeLessThanOrEqual(560)
    await port.configure({ ...defaultSettings, baudRate: 9_600, parity: "even", stopBits: 2 })
    const slow = port.write(new Uint8Array(96)).then(() => done.push(clock.monotonicMs()))
    const startMs = clock.monotonicMs()
    await clock.advanceAsync(130)
    await slow
    // Twelve bits for each byte.
    expect(done[1]! - startMs).toBeCloseTo(120, 0)
    const tooSlow = port.configure({ ...defaultSettings, baudRate: 10 })
    await expect(tooSlow).rejects.toMatchObject({ code: "bad_request" })
    await port.close()
  })

  test("never gets what was purged before it was on the wire", async () => {
    const { clock, heard, port } = await openModem()
    const write = port.write(new Uint8Array(960).fill(1))
    await clock.advanceAsync(500)
    await port.purge()
    await clock.advanceAsync(20)
    await write
    await passTime(clock, port.write(Uint8Array.of(2)))
    await clock.advanceAsync(1_000)
    const ones = heard.bytes.filter((byte) => byte === 1).byteLength
    expect(ones).toBeGreaterThanOrEqual(470)
    expect(ones).toBeLessThanOrEqual(490)
    expect(heard.bytes.at(-1)).toBe(2)
    await port.close()
  })
})
