import { AppError } from "@serialcast/contract"
import { defaultSettings, type OpenPort, type PortDriver, type PortListener } from "@serialcast/ports"
import { createDeferred, createWakeup, type Deferred, msSince } from "@serialcast/primitives"
import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { startPortLife } from "./port-life.ts"

/** A driver whose every open the test answers. */
class PlayedDriver implements PortDriver {
  readonly opens: { readonly listener: PortListener; readonly port: Deferred<OpenPort> }[] = []

  open(_settings: unknown, listener: PortListener): Promise<OpenPort> {
    const port = createDeferred<OpenPort>()
    this.opens.push({ listener, port })
    return port.promise
  }

  succeed(): OpenPort {
    const { listener, port } = this.opens.at(-1)!
    let isClosed = false
    const open: OpenPort = {
      settings: defaultSettings,
      write: async ({ byteLength }) => byteLength,
      async drain() {},
      async configure() {},
      async signal() {},
      readLines: async () => null,
      async purge() {},
      async close() {
        if (!isClosed) listener.onClosed({ reason: "closed by the agent" })
        isClosed = true
      },
    }
    port.resolve(open)
    return open
  }

  fail(message: string): void {
    this.opens.at(-1)!.port.reject(new AppError("open_failed", message))
  }
}

function start(settings = () => defaultSettings) {
  const clock = new FakeClock()
  const driver = new PlayedDriver()
  const told: string[] = []
  const appeared = createWakeup()
  const life = startPortLife({
    driver,
    appeared,
    settings,
    clock,
    random: () => 0,
    events: {
      onBytes: (bytes) => told.push(`bytes ${bytes.join()}`),
      onOverrun: () => told.push("overrun"),
      onOpened: (_port, open) => told.push(`opened ${open}`),
      onConfigured: () => told.push("configured"),
      onClosed: ({ reason }) => told.push(`closed: ${reason}`),
      onProblem: ({ message }) => told.push(`problem: ${message}`),
    },
  })
  return { clock, driver, told, life, appeared }
}

test("opens are counted, and bytes and the end of each are told in order", async () => {
  const { clock, driver, told, life } = start()
  driver.succeed()
  await clock.advanceAsync(0)
  driver.opens[0]!.listener.onBytes(Uint8Array.of(1))
  driver.opens[0]!.listener.onClosed({ reason: "the device went away" })
  await clock.advanceAsync(50)
  expect(driver.opens).toHaveLength(2)
  driver.succeed()
  await clock.advanceAsync(0)
  driver.opens[1]!.listener.onOverrun()
  driver.opens[1]!.listener.onBytes(Uint8Array.of(2))
  await life.stop()
  expect(told).toEqual([
    "opened 1",
    "bytes 1",
    "closed: the device went away",
    "opened 2",
    "overrun",
    "bytes 2",
    "closed: closed by the agent",
  ])
})

test("a port that cannot be opened is tried again, ever less often, and each reason is told once", async () => {
  const { clock, driver, told, life } = start()
  const times: number[] = []
  for (const reason of ["absent", "absent", "denied", "denied", "absent", "absent", "absent"]) {
    times.push(clock.monotonicMs())
    const before = driver.opens.length
    driver.fail(reason)
    while (driver.opens.length === before) await clock.advanceAsync(10)
  }
  expect(times).toEqual([0, 50, 150, 350, 750, 1_250, 1_750])
  expect(told).toEqual(["problem: absent", "problem: denied", "problem: absent"])
  driver.succeed()
  await clock.advanceAsync(5_000)
  driver.opens.at(-1)!.listener.onClosed({ reason: "the device went away" })
  // The back-off starts anew, and so do the reasons.
  await clock.advanceAsync(50)
  driver.fail("absent")
  await clock.advanceAsync(0)
  expect(told.slice(3)).toEqual(["opened 1", "closed: the device went away", "problem: absent"])
  await life.stop()
})

test("a port that closes as soon as it is open is opened ever less often", async () => {
  const { clock, driver, life } = start()
  const times: number[] = []
  for (let n = 0; n < 6; n++) {
    times.push(clock.monotonicMs())
    const before = driver.opens.length
    driver.succeed()
    await clock.advanceAsync(0)
    driver.opens.at(-1)!.listener.onClosed({ reason: "the device went away" })
    while (driver.opens.length === before) await clock.advanceAsync(10)
  }
  expect(times).toEqual([0, 50, 150, 350, 750, 1_250])
  const stopped = life.stop()
  driver.succeed()
  await stopped
})

test("a port that appears is tried at once, and then anew from the shortest delay", async () => {
  const { clock, driver, life, appeared } = start()
  for (let n = 0; n < 6; n++) {
    driver.fail("absent")
    await clock.advanceAsync(1_000)
  }
  const startMs = clock.monotonicMs()
  driver.fail("absent")
  await clock.advanceAsync(0)
  appeared.wake()
  await clock.advanceAsync(0)
  expect(driver.opens).toHaveLength(8)
  // The node is there before its group is set.
  driver.fail("denied")
  await clock.advanceAsync(50)
  expect([driver.opens.length, msSince(clock, startMs)]).toEqual([9, 50])
  driver.fail("denied")
  await life.stop()
})

test("stop ends it at once while it waits for the next attempt", async () => {
  const { clock, driver, life } = start()
  driver.fail("absent")
  await clock.advanceAsync(0)
  await life.stop()
  expect(clock.pendingTimers).toBe(0)
  expect(driver.opens).toHaveLength(1)
})

test("stop while it opens waits for the port, to close it", async () => {
  const { clock, driver, told, life } = start()
  const stopped = life.stop()
  driver.succeed()
  await stopped
  expect(told.at(-1)).toBe("closed: closed by the agent")
  await clock.advanceAsync(5_000)
  expect(driver.opens).toHaveLength(1)
})

test("stop while it opens is over when the opening fails", async () => {
  const { driver, life } = start()
  const stopped = life.stop()
  driver.fail("absent")
  await stopped
  expect(driver.opens).toHaveLength(1)
})

test("stop waits a second for an opening that hangs; the port that comes later is closed, and tells nothing", async () => {
  const { clock, driver, told, life } = start()
  let isStopped = false
  const stopped = life.stop().then(() => {
    isStopped = true
  })
  await clock.advanceAsync(999)
  expect(isStopped).toBe(false)
  await clock.advanceAsync(1)
  await stopped
  expect(clock.pendingTimers).toBe(0)
  const late = driver.succeed()
  const closed = new Promise<void>((resolve) => {
    late.close = async () => resolve()
  })
  driver.opens[0]!.listener.onBytes(Uint8Array.of(1))
  await closed
  driver.opens[0]!.listener.onClosed({ reason: "closed by the agent" })
  expect(told).toEqual([])
})

test("an opening that fails after the stop fails unheard", async () => {
  const { clock, driver, told, life } = start()
  const stopped = life.stop()
  await clock.advanceAsync(1_000)
  await stopped
  driver.fail("absent")
  await clock.advanceAsync(0)
  expect(told).toEqual([])
})

test("settings that change while it opens are made when it is open; a port that refuses them is opened anew with them", async () => {
  let settings = defaultSettings
  const { clock, driver, told, life } = start(() => settings)
  const made: unknown[] = []
  settings = { ...defaultSettings, baudRate: 9_600 }
  driver.succeed().configure = async (change) => {
    made.push(change)
    throw new Error("Invalid argument")
  }
  await clock.advanceAsync(0)
  expect(made).toEqual([settings])
  expect(told).toEqual(["opened 1", "closed: closed by the agent"])
  await clock.advanceAsync(50)
  driver.succeed().configure = async (change) => void made.push(change)
  await clock.advanceAsync(0)
  expect([made.length, told.at(-1)]).toEqual([1, "opened 2"])
  await life.stop()
})

test("settings that change while it opens are told when the open port was asked for them", async () => {
  let settings = defaultSettings
  const { clock, driver, told, life } = start(() => settings)
  settings = { ...defaultSettings, parity: "even" }
  driver.succeed()
  await clock.advanceAsync(0)
  expect(told).toEqual(["opened 1", "configured"])
  await life.stop()
})

test("an error that is not foreseen does not end the life of the port", async () => {
  const { clock, driver, told, life } = start()
  driver.opens[0]!.port.reject(new TypeError("oops"))
  await clock.advanceAsync(50)
  expect(driver.opens).toHaveLength(2)
  expect(told).toEqual(["problem: oops"])
  driver.succeed()
  await life.stop()
})

test("a thousand opens and closes leave no timer and no listener behind", async () => {
  const { clock, driver, told, life } = start()
  const ports = new Set<OpenPort>()
  for (let open = 1; open <= 1_000; open++) {
    ports.add(driver.succeed())
    await clock.advanceAsync(0)
    driver.opens.at(-1)!.listener.onClosed({ reason: "the device went away" })
    while (driver.opens.length === open) await clock.advanceAsync(500)
  }
  expect(clock.pendingTimers).toBe(0)
  const last = driver.succeed()
  await life.stop()
  expect([ports.has(last), ports.size, told.at(-2)]).toEqual([false, 1_000, "opened 1001"])
  expect(clock.pendingTimers).toBe(0)
})
