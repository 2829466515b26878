import { AppError, type ConfigureRequest, type SignalRequest, toAppError } from "@serialcast/contract"
import { createMemoryJournal } from "@serialcast/journal"
import { chooseDriver, defaultSettings, type OpenPort } from "@serialcast/ports"
import { createDeferred } from "@serialcast/primitives"
import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { createCallees } from "../device/callees.ts"
import { RecordingPort } from "../testing/recording-port.ts"

function start() {
  const clock = new FakeClock()
  const journal = createMemoryJournal({ clock, createEpoch: () => "00112233aabbccdd" })
  let changes = 0
  const onChange = () => void changes++
  // By an earlier process.
  journal.mark("rx", { kind: "opened", open: 1 })
  const callees = createCallees({ settings: defaultSettings }, { journal, clock, onChange })
  const marks = async () => {
    const { records } = await journal.page("rx", { kind: "start" }, 60_000)
    return records.flatMap((record) => ("mark" in record ? [record.mark] : [])).slice(1)
  }
  let ids = 0
  const configure = (more: Partial<ConfigureRequest>) =>
    callees.controls.configure("me", { id: `${ids++}`, by: "user", now: false, settings: {}, ...more })
  const signal = (more: Partial<SignalRequest>) =>
    callees.controls.signal("me", { id: `${ids++}`, by: "user", now: false, ...more })
  const write = (bytes: Uint8Array, more: object = {}) =>
    callees.writes.submit({ id: `w${ids++}`, client: "me", by: "user", bytes, ...more })
  const purge = (client: string, lease?: string) =>
    callees.controls.purge(client, { id: `${ids++}`, by: "user", lease })
  return { clock, ...callees, marks, configure, signal, write, purge, changes: () => changes }
}

function startOpen() {
  const setup = start()
  const port = new RecordingPort()
  setup.attach(port, 2)
  return { ...setup, port }
}

async function startModem() {
  const setup = start()
  const driver = chooseDriver("sim:modem", setup.clock)
  const closed: string[] = []
  const port: OpenPort = await driver.open(defaultSettings, {
    onBytes: () => {},
    onOverrun: () => {},
    onClosed: ({ reason }) => void closed.push(reason),
  })
  setup.attach(port, 1)
  await setup.clock.advanceAsync(0)
  return { ...setup, port }
}

const codeOf = async (work: Promise<unknown>) =>
  await work.then(
    () => "done",
    (error: unknown) => toAppError(error).code,
  )
const refused = (code: string) => expect.objectContaining({ code })
const tick = () => new Promise(setImmediate)

test("settings that are given are changed, the others stay, and it is marked", async () => {
  const { configure, controls, port, marks, changes } = startOpen()
  const settings = { ...defaultSettings, baudRate: 9_600 }
  expect(await configure({ settings: { baudRate: 9_600, parity: undefined } })).toEqual(settings)
  expect(port.controls).toEqual([settings])
  expect(controls.settings).toEqual(settings)
  expect(await marks()).toEqual([{ n: 1, kind: "settings", by: "user", settings }])
  expect(changes()).toBe(1)
})

test("settings of a closed port are kept for when it opens, unless they were meant for another opening", async () => {
  const { configure, controls, lease } = start()
  await configure({ settings: { baudRate: 9_600 }, open: 1 })
  await expect(configure({ settings: { baudRate: 1_200 }, open: 2 })).rejects.toEqual(refused("expired"))
  lease.take({ by: "ann", ttlMs: 1_000, steal: false })
  await expect(configure({ settings: { baudRate: 1_200 } })).rejects.toEqual(refused("leased"))
  expect(controls.settings.baudRate).toBe(9_600)
})

test("settings that the port takes in part are answered, told and marked as they are in force", async () => {
  const { configure, controls, port, marks } = startOpen()
  port.hasParity = false
  const inForce = { ...defaultSettings, baudRate: 9_600, unsupported: ["parity"] }
  expect(await configure({ settings: { baudRate: 9_600, parity: "even" } })).toEqual(inForce)
  expect(controls.settings).toEqual(inForce)
  expect(await marks()).toEqual([{ n: 1, kind: "settings", by: "user", settings: inForce }])
  // What was refused is no wish for the next change, nor for the next opening.
  expect(controls.wanted).toEqual({ ...defaultSettings, baudRate: 9_600 })
  expect(await configure({ settings: { stopBits: 2 } })).toEqual({
    ...defaultSettings,
    baudRate: 9_600,
    stopBits: 2,
  })
})

test("a setting that was wanted before the port opened stays wanted, whatever this port takes", async () => {
  const { configure, controls, attach, detach } = start()
  await configure({ settings: { parity: "even" } })
  const port = new RecordingPort()
  port.settings = { ...defaultSettings, unsupported: ["parity"] }
  port.hasParity = false
  attach(port, 2)
  expect(controls.settings).toEqual({ ...defaultSettings, unsupported: ["parity"] })
  await configure({ settings: { baudRate: 9_600 } })
  expect(controls.settings).toEqual({ ...defaultSettings, baudRate: 9_600, unsupported: ["parity"] })
  detach()
  expect(controls.settings).toEqual({ ...defaultSettings, baudRate: 9_600, parity: "even" })
})

test("settings that the port refuses are not kept", async () => {
  const { configure, controls, port, marks } = startOpen()
  port.configure = async () => {
    throw new Error("Invalid argument")
  }
  await expect(configure({ settings: { baudRate: 1 } })).rejects.toMatchObject({
    code: "bad_request",
    message: "The port refused it: Invalid argument.",
  })
  expect(controls.settings).toEqual(defaultSettings)
  expect(await marks()).toEqual([])
})

test("a control waits for the writes before it, unless it is to be done now", async () => {
  const { configure, signal, port, write } = startOpen()
  port.hold()
  const written = write(Uint8Array.of(1))
  const configured = configure({ settings: { baudRate: 9_600 } })
  await signal({ break: true, now: true })
  expect(port.controls).toEqual([{ kind: "set", break: true }])
  port.release()
  await Promise.all([written, configured])
  expect(port.controls).toHaveLength(2)
})

test("controls have their place in a session, and fall with it", async () => {
  const { clock, configure, port, write } = startOpen()
  const inSession = (seq: number) => ({ session: "s", seq })
  const order: number[] = []
  const note = (n: number) => () => void order.push(n)
  const all = [
    configure({ settings: { baudRate: 9_600 }, ...inSession(1) }).then(note(1)),
    write(Uint8Array.of(2), inSession(2)).then(note(2)),
    write(Uint8Array.of(0), inSession(0)).then(note(0)),
  ]
  // Small writes of a session rest for 1 ms each.
  for (let ms = 0; ms < 2; ms++) await clock.advanceAsync(1)
  await Promise.all(all)
  expect(order).toEqual([0, 1, 2])
  port.configure = async () => {
    throw new AppError("bad_request", "No.")
  }
  const failing = configure({ settings: { baudRate: 1 }, ...inSession(3) })
  const behind = write(Uint8Array.of(4), inSession(4))
  await expect(failing).rejects.toEqual(refused("bad_request"))
  await expect(behind).rejects.toEqual(refused("out_of_order"))
})

test("lines that are stuck are given up, and writes go on", async () => {
  const { clock, signal, port, write } = startOpen()
  port.signal = () => new Promise(() => {})
  const stuck = codeOf(signal({ dtr: false }))
  const written = write(Uint8Array.of(1))
  await clock.advanceAsync(10_000)
  expect(await stuck).toBe("device_offline")
  await written
  expect(port.isClosed).toBe(false)
})

test("a port whose settings are stuck is closed, as it is not read meanwhile and nobody knows which it has", async () => {
  const { clock, configure, controls, port } = startOpen()
  port.configure = () => new Promise(() => {})
  const stuck = codeOf(configure({ settings: { baudRate: 1 } }))
  await clock.advanceAsync(10_000)
  expect(await stuck).toBe("device_offline")
  expect(port.isClosed).toBe(true)
  expect(controls.settings).toEqual(defaultSettings)
})

test("a macro whose step is stuck is over when it is given up: no later step comes between others' writes", async () => {
  const { clock, signal, port } = startOpen()
  const held = createDeferred<void>()
  let steps = 0
  port.signal = async () => {
    steps++
    await held.promise
  }
  const stuck = codeOf(signal({ macro: "D0|W0.1|D1" }))
  await clock.advanceAsync(10_100)
  expect(await stuck).toBe("device_offline")
  held.resolve()
  await clock.advanceAsync(1_000)
  expect([steps, clock.pendingTimers]).toEqual([1, 0])
})

test("while the port is closed, lines and purge are refused", async () => {
  const { signal, controls, purge } = start()
  for (const work of [signal({ dtr: true }), controls.readLines(), purge("me")])
    await expect(work).rejects.toEqual(refused("device_offline"))
})

test("lines are set, answered as they are then, and marked as the caller's doing", async () => {
  const { clock, signal, controls, marks } = await startModem()
  const before = (await marks()).length
  const lines = await signal({ dtr: false })
  expect(lines).toMatchObject({ dtr: false, rts: true, dsr: false, cts: true })
  expect(controls.lines).toEqual(lines)
  await clock.advanceAsync(1_000)
  expect((await marks()).slice(before)).toMatchObject([{ kind: "lines", by: "user", lines }])
})

test("lines that the device changes are marked as nobody's doing", async () => {
  const { clock, controls, marks, port } = await startModem()
  // As a device would: not through the agent.
  await port.signal({ rts: false })
  await clock.advanceAsync(250)
  expect((await marks()).at(-1)).toMatchObject({ kind: "lines", by: null, lines: { cts: false } })
  expect(controls.lines).toMatchObject({ cts: false })
})

test("a macro holds up writes until its last step, and is marked with what it leaves", async () => {
  const { clock, signal, write, marks } = await startModem()
  const played = signal({ macro: "D0R1|W0.2|D1R0B1|W0.1|B0" })
  let isWritten = false
  const written = write(Uint8Array.of(1)).then(() => {
    isWritten = true
  })
  await clock.advanceAsync(299)
  expect(isWritten).toBe(false)
  await clock.advanceAsync(50)
  expect(await played).toMatchObject({ dtr: true, rts: false })
  await written
  expect((await marks()).slice(-2)).toMatchObject([
    { kind: "break", by: "user" },
    { kind: "lines", by: "user", lines: { dtr: true, rts: false } },
  ])
})

test("a macro that the unplug cuts is aborted", async () => {
  const { clock, signal, detach, controls } = await startModem()
  const played = codeOf(signal({ macro: "D0|W5|D1" }))
  await clock.advanceAsync(1_000)
  detach()
  expect(await played).toBe("aborted")
  expect(controls.lines).toBeNull()
})

test("a port without lines says so", async () => {
  const { signal, port, controls } = startOpen()
  port.signal = async () => {
    throw new AppError("no_modem_lines", "None.")
  }
  await expect(signal({ dtr: true })).rejects.toEqual(refused("no_modem_lines"))
  expect(await controls.readLines()).toBeNull()
})

test("many who ask for the lines at once get one reading", async () => {
  const { controls, port } = startOpen()
  await tick()
  let readings = 0
  port.readLines = async () => {
    readings++
    return { cts: true }
  }
  const all = await Promise.all(Array.from({ length: 100 }, () => controls.readLines()))
  expect(all).toEqual(Array.from({ length: 100 }, () => ({ cts: true })))
  expect(readings).toBe(1)
  await controls.readLines()
  expect(readings).toBe(2)
})

test("a purge takes back all writes of its client, and what the port has of the one in progress", async () => {
  const { port, purge, write } = startOpen()
  port.hold()
  const cancelled = [write(new Uint8Array(40_000)), write(Uint8Array.of(2))]
  const others = write(Uint8Array.of(3), { client: "you" })
  const outcomes = Promise.allSettled(cancelled)
  await tick()
  await purge("me")
  expect(await outcomes).toMatchObject([
    { status: "rejected", reason: { code: "cancelled" } },
    { status: "rejected", reason: { code: "cancelled" } },
  ])
  await others
  // Once to free the slice in hand, once for what that slice left.
  expect(port.controls).toEqual(["purge", "purge"])
  expect(port.slices.at(-1)).toEqual(Uint8Array.of(3))
})

test("a purge leaves alone what another client is writing, but the holder of the lease stops it", async () => {
  const { port, purge, write, lease } = startOpen()
  port.hold()
  const others = write(new Uint8Array(40_000), { client: "you" })
  const outcome = Promise.allSettled([others])
  await tick()
  await purge("me")
  expect(port.controls).toEqual([])
  const { token } = lease.take({ by: "ann", ttlMs: 1_000, steal: false })
  await expect(purge("you")).rejects.toEqual(refused("leased"))
  await purge("ann", token)
  expect(await outcome).toMatchObject([{ reason: { code: "cancelled" } }])
})

test("a purge that the port fails is an error of the device, whether something is in progress or not", async () => {
  const { port, purge, write } = startOpen()
  port.purge = () => Promise.reject(new Error("the device server closed the connection"))
  await expect(purge("me")).rejects.toEqual(refused("device_offline"))
  port.hold()
  const outcome = Promise.allSettled([write(new Uint8Array(40_000))])
  await tick()
  await expect(purge("me")).rejects.toEqual(refused("device_offline"))
  port.release()
  await outcome
})

test("with nothing in progress a purge takes a turn of its own", async () => {
  const { port, purge } = startOpen()
  await purge("me")
  expect(port.controls).toEqual(["purge"])
})

test("controls that are wanted now are bounded", async () => {
  const { port, signal } = startOpen()
  port.signal = () => new Promise(() => {})
  for (let n = 0; n < 16; n++) signal({ break: true, now: true }).catch(() => {})
  await expect(signal({ break: true, now: true })).rejects.toEqual(refused("overloaded"))
})
