import { AppError, type DeviceState, type ModemLines, type PortSettings } from "@serialcast/contract"
import type { SignalChange } from "@serialcast/device-stream"
import { createDeferred } from "@serialcast/primitives"
import type { PortRequest } from "@serialcast/rfc2217"
import { createLogger, type Rfc2217Tunnel } from "@serialcast/service-kit"
import { createDeviceState, FakeClock } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import type { DeviceLane } from "../to-device/device-lane.ts"
import { RequestDesk } from "./request-desk.ts"
import { SharedPort } from "./shared-port.ts"

const macros = { reset: "D0R1|R0", bootloader: "D0R1|D1R0|D0" }
const withLines: ModemLines = { dtr: true, rts: true, cts: true, dsr: true, dcd: true, ri: false }

/** A desk of a device with modem lines, over a lane that notes what is asked of it. */
function setUp(lines: Rfc2217Tunnel["lines"] = "pass", changes: Partial<DeviceState> = {}) {
  const clock = new FakeClock()
  const state = createDeviceState({ lines: withLines, ...changes })
  const port = new SharedPort({ lines, state: () => state, clock })
  const asked: object[] = []
  const control = { refusal: null as AppError | null, busy: Promise.resolve(), hasParity: true }
  const act = async <T>(what: object, value: T): Promise<T> => {
    asked.push(what)
    await control.busy
    if (control.refusal !== null) throw control.refusal
    return value
  }
  const lane: DeviceLane = {
    opening: null,
    write: async () => {},
    configure: (settings: Partial<PortSettings>) =>
      act(settings, { ...state.settings, ...settings, ...(control.hasParity ? {} : { parity: "none" }) }),
    signal: (change: SignalChange) => act(change, null),
    purge: () => act({ purge: "tx" }, undefined),
    flush: async () => {},
    isIdle: true,
    [Symbol.asyncDispose]: async () => {},
  }
  const desk = new RequestDesk({
    config: { lines, macros, restoreSettings: true },
    port,
    lane,
    purgeReceived: () => act({ purge: "rx" }, undefined),
    clock,
    log: createLogger({ name: "test", level: "silent" }),
  })
  const answers = (requests: readonly PortRequest[], mayChange = true) =>
    Promise.all(requests.map((request) => desk.answer(request, mayChange)))
  return { clock, port, asked, control, desk, answers }
}

describe("a setting", () => {
  test("that is set already costs no call, and is answered", async () => {
    const { answers, asked } = setUp()
    const requests = [
      { kind: "baudRate", value: 115_200 },
      { kind: "dataBits", value: 8 },
      { kind: "parity", value: "none" },
      { kind: "stopBits", value: 1 },
      { kind: "flowControl", value: "none" },
    ] as const
    expect(await answers(requests)).toEqual(requests)
    expect(asked).toEqual([])
  })

  test("is answered as it was asked for when the port takes it, and as it is in force when not", async () => {
    const { answers, asked, control } = setUp()
    expect(await answers([{ kind: "baudRate", value: 9_600 }])).toEqual([{ kind: "baudRate", value: 9_600 }])
    control.refusal = new AppError("bad_request", "The port refused it.")
    expect(await answers([{ kind: "baudRate", value: 123 }])).toEqual([{ kind: "baudRate", value: 9_600 }])
    expect(await answers([{ kind: "baudRate", value: null }])).toEqual([{ kind: "baudRate", value: 9_600 }])
    expect(asked).toEqual([{ baudRate: 9_600 }, { baudRate: 123 }])
  })

  test("that the port does not take is answered as it is in force, however many come at once", async () => {
    const { answers, control } = setUp()
    control.hasParity = false
    const requests = [
      { kind: "parity", value: "even" },
      { kind: "stopBits", value: 2 },
    ] as const
    expect(await answers(requests)).toEqual([{ kind: "parity", value: "none" }, requests[1]])
    expect(await answers([{ kind: "parity", value: null }])).toEqual([{ kind: "parity", value: "none" }])
  })

  test("of a client that only watches is a question", async () => {
    const { answers, asked } = setUp()
    expect(await answers([{ kind: "baudRate", value: 9_600 }], false)).toEqual([
      { kind: "baudRate", value: 115_200 },
    ])
    expect(asked).toEqual([])
  })

  test("behind bytes that take long is answered after a second, as it will be", async () => {
    const { answers, clock, control, port } = setUp()
    const drained = createDeferred<void>()
    control.busy = drained.promise
    const answered = answers([{ kind: "baudRate", value: 9_600 }])
    await clock.advanceAsync(1_000)
    expect(await answered).toEqual([{ kind: "baudRate", value: 9_600 }])
    drained.resolve()
    expect(port.settings.values.baudRate).toBe(9_600)
  })
})

describe("a line", () => {
  test("reaches the port when it changes, and costs nothing when it does not", async () => {
    const { answers, asked } = setUp()
    const requests = [
      { kind: "dtr", value: true },
      { kind: "rts", value: false },
      { kind: "rts", value: false },
      { kind: "break", value: true },
      { kind: "break", value: false },
    ] as const
    expect(await answers(requests)).toEqual(requests)
    expect(asked).toEqual([{ rts: false }, { break: true }, { break: false }])
    expect(await answers([{ kind: "rts", value: null }])).toEqual([{ kind: "rts", value: false }])
  })

  test("of a port without lines is answered from the shadow, and asked for once only", async () => {
    const { answers, asked, control } = setUp("pass", { lines: null })
    control.refusal = new AppError("no_modem_lines", "This port has no modem lines.")
    for (const value of [false, true, false])
      expect(await answers([{ kind: "dtr", value }])).toEqual([{ kind: "dtr", value }])
    expect(asked).toEqual([{ dtr: false }])
  })

  test("of a device that is away is answered from the shadow", async () => {
    const { answers, asked } = setUp("pass", { online: false, lines: null })
    expect(await answers([{ kind: "dtr", value: false }])).toEqual([{ kind: "dtr", value: false }])
    expect(asked).toEqual([])
  })

  test("of a client that only watches is answered as it is", async () => {
    const { answers, asked } = setUp()
    expect(await answers([{ kind: "dtr", value: false }], false)).toEqual([{ kind: "dtr", value: true }])
    expect(asked).toEqual([])
  })

  test("does not reach the port where lines are ignored; a break does", async () => {
    const { answers, asked, desk } = setUp("ignore")
    desk.sawData()
    const requests = [
      { kind: "dtr", value: false },
      { kind: "rts", value: true },
      { kind: "rts", value: false },
      { kind: "break", value: true },
    ] as const
    expect(await answers(requests)).toEqual(requests)
    expect(asked).toEqual([{ break: true }])
  })

  test("plays a macro where lines reset a board, and is answered at once while it plays", async () => {
    const { answers, asked, control } = setUp("macro")
    await answers([{ kind: "purge", value: "rx" }])
    control.busy = createDeferred<void>().promise
    const reset = [
      { kind: "dtr", value: false },
      { kind: "rts", value: true },
      { kind: "dtr", value: true },
      { kind: "rts", value: false },
      { kind: "dtr", value: false },
    ] as const
    expect(await answers(reset)).toEqual(reset)
    expect(asked).toEqual([{ purge: "rx" }, { macro: macros.bootloader }])
  })
})

describe("a purge", () => {
  test("reaches what it names, and is answered with it", async () => {
    const { answers, asked } = setUp()
    const requests = [
      { kind: "purge", value: "rx" },
      { kind: "purge", value: "tx" },
    ] as const
    expect(await answers(requests)).toEqual(requests)
    expect(asked).toEqual([{ purge: "rx" }, { purge: "tx" }])
    asked.length = 0
    await answers([{ kind: "purge", value: "both" }])
    expect(asked).toEqual([{ purge: "tx" }, { purge: "rx" }])
  })

  test("that fails is answered all the same; a watcher's reaches only what it did not get itself", async () => {
    const { answers, asked, control } = setUp()
    control.refusal = new AppError("no_reply", "Nobody answered.")
    expect(await answers([{ kind: "purge", value: "both" }], false)).toEqual([
      { kind: "purge", value: "both" },
    ])
    expect(asked).toEqual([{ purge: "rx" }])
  })
})

test("polls are answered with the lines as they are, and with a line that is free", async () => {
  const { answers } = setUp()
  expect(await answers([{ kind: "modemState" }, { kind: "lineState" }])).toEqual([
    { kind: "modemState", lines: { cts: true, dsr: true, ri: false, dcd: true } },
    { kind: "lineState", state: { holdingEmpty: true, shiftEmpty: true } },
  ])
})

test("a break without length is a macro of a quarter of a second", () => {
  const { desk, asked } = setUp()
  desk.sendBreak()
  expect(asked).toEqual([{ macro: "B1|W0.25|B0" }])
})

test("breaks that come while one waits or lasts are left out", async () => {
  const { desk, asked, control } = setUp()
  const lasts = createDeferred<void>()
  control.busy = lasts.promise
  for (let n = 0; n < 10_000; n++) desk.sendBreak()
  lasts.resolve()
  await new Promise(setImmediate)
  desk.sendBreak()
  expect(asked).toEqual([{ macro: "B1|W0.25|B0" }, { macro: "B1|W0.25|B0" }])
})

test("of breaks with data between them 16 are sent in a row, and then two a second", async () => {
  const { desk, asked, clock } = setUp()
  const sendMany = async () => {
    for (let n = 0; n < 100; n++) {
      desk.sendBreak()
      await new Promise(setImmediate)
    }
  }
  await sendMany()
  expect(asked).toHaveLength(16)
  clock.advance(1_000)
  await sendMany()
  expect(asked).toHaveLength(18)
})

test("of resets that come while others play, two at most are played behind each other", async () => {
  const { answers, asked, control } = setUp("macro")
  await answers([{ kind: "purge", value: "rx" }])
  control.busy = createDeferred<void>().promise
  const reset = [
    { kind: "dtr", value: false },
    { kind: "rts", value: true },
    { kind: "rts", value: false },
  ] as const
  for (let n = 0; n < 100; n++) await answers(reset)
  expect(asked).toEqual([{ purge: "rx" }, { macro: macros.reset }, { macro: macros.reset }])
})

test("a desk has room for 32 requests; behind a device that takes nothing it says so after a second", async () => {
  const { answers, desk, control, clock } = setUp()
  const stuck = createDeferred<void>()
  control.busy = stuck.promise
  for (let n = 0; n < 32; n++) {
    expect(await desk.room()).toBe(true)
    void answers([{ kind: "dtr", value: n % 2 === 1 }])
  }
  await clock.advanceAsync(500)
  const room = desk.room()
  await clock.advanceAsync(1_000)
  expect(await room).toBe(false)
  const later = desk.room()
  stuck.resolve()
  expect(await later).toBe(true)
})

test("leaving ends the client's break and restores its settings; it does nothing where nothing was changed", async () => {
  const { answers, desk, asked, clock } = setUp()
  await answers([
    { kind: "break", value: true },
    { kind: "baudRate", value: 9_600 },
  ])
  asked.length = 0
  await desk.leave()
  expect(asked).toEqual([{ break: false }, { baudRate: 115_200 }])
  asked.length = 0
  clock.advance(1_000)
  await desk.leave()
  expect(asked).toEqual([])
})
