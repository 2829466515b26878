import { mkdtemp, rm, symlink } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createTopics, type DeviceState } from "@serialcast/contract"
import { createEpoch, createMemoryJournal, type Journal } from "@serialcast/journal"
import { type Clock, createDeferred, systemClock } from "@serialcast/primitives"
import { createLogger } from "@serialcast/service-kit"
import { eventually, FakeClock, openPty, type PtyDevice } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { deviceAt } from "../config.ts"
import { Devices } from "./devices.ts"

interface StartOptions {
  readonly clock?: Clock
  readonly openJournal?: (device: string) => Promise<Journal>
}

function start({
  clock = systemClock,
  openJournal = async () => createMemoryJournal({ clock, createEpoch }),
}: StartOptions = {}) {
  const broker = {
    topics: createTopics(),
    isConnected: false,
    onConnected: () => () => {},
    async publish() {},
  }
  const log = createLogger({ name: "test", level: "silent" })
  const changed: string[] = []
  const onChange = (device: string) => changed.push(device)
  const identify = async () => ({})
  const devices = new Devices("local", { broker, clock, log, onChange, identify, openJournal })
  onTestFinished(() => devices.stop())
  const open = (name: string, port: string) => devices.open(name, { config: deviceAt(port), identity: {} })
  const show = (name: string, port: string) => devices.show(name, { config: deviceAt(port), identity: {} })
  const stateOf = (name: string) => devices.states.find(({ device }) => device === name)
  const until = (name: string, wanted: Partial<DeviceState>) =>
    eventually(() => expect(stateOf(name)).toMatchObject(wanted))
  return { devices, changed, open, show, stateOf, until }
}

async function plugIn(): Promise<{ readonly pty: PtyDevice; readonly link: string }> {
  const folder = await mkdtemp(join(tmpdir(), "serialcast-devices-"))
  onTestFinished(() => rm(folder, { recursive: true }))
  const pty = await openPty()
  onTestFinished(() => pty[Symbol.asyncDispose]())
  const link = join(folder, "by-id")
  await symlink(pty.path, link)
  return { pty, link }
}

const conflict = (place: string, owner: string, other: string): Partial<DeviceState> => ({
  online: false,
  problem: {
    code: "port_conflict",
    message: `The ports of ${owner} and ${other} are both ${place}, which is left to ${owner}.`,
  },
})

test("of two devices with the same port the first is open, the other says so and opens when that changes", async () => {
  const { open, until } = start()
  const [first, second] = [await plugIn(), await plugIn()]
  await open("uno", first.link)
  await open("nano", first.pty.path)
  await until("uno", { online: true, open: 1 })
  await until("nano", conflict(first.pty.terminal, "uno", "nano"))
  await rm(first.link)
  await symlink(second.pty.path, first.link)
  await first.pty.unplug()
  await until("uno", { online: true, open: 2 })
  await until("nano", { online: false, problem: { code: "open_failed", message: expect.any(String) } })
})

test("a port that appears is opened without waiting for the next attempt", async () => {
  // Time stands still: no attempt follows by itself.
  const { devices, open, until } = start({ clock: new FakeClock() })
  const { pty, link } = await plugIn()
  await rm(link)
  await open("uno", link)
  await until("uno", { problem: { code: "open_failed", message: expect.any(String) } })
  await symlink(pty.path, link)
  devices.retry("/dev/another")
  devices.retry(link)
  await until("uno", { online: true })
})

test("a device that is removed is closed and gone, and another one can have its port", async () => {
  const { devices, changed, open, until } = start()
  const { link } = await plugIn()
  await open("found", link)
  await until("found", { online: true })
  changed.length = 0
  devices.remove("found")
  expect(devices.states).toEqual([])
  expect(changed[0]).toBe("found")
  await open("uno", link)
  await until("uno", { online: true })
})

/** Journals of which one at a time may be open; they close when the test says so. */
function createSlowJournals() {
  const closable = createDeferred<void>()
  const counts = { open: 0, closing: 0 }
  const openJournal = async () => {
    expect(++counts.open).toBe(1)
    const close = async () => {
      counts.closing++
      await closable.promise
      counts.open--
    }
    return Object.assign(createMemoryJournal({ clock: systemClock, createEpoch }), { close })
  }
  return { counts, openJournal, letClose: closable.resolve }
}

test("a device that comes back waits until the one before it has closed its journal", async () => {
  const { counts, openJournal, letClose } = createSlowJournals()
  const { devices, open, until } = start({ openJournal })
  const { link } = await plugIn()
  await open("found", link)
  await until("found", { online: true })
  devices.remove("found")
  const again = open("found", link)
  await eventually(() => expect(counts.closing).toBe(1))
  expect(devices.states).toEqual([])
  letClose()
  await again
  await until("found", { online: true })
})

test("a device that is removed while its journal is opened is not there, and leaves no journal open", async () => {
  const { counts, openJournal, letClose } = createSlowJournals()
  const { devices, open } = start({ openJournal })
  const opening = open("found", "sim:echo")
  devices.remove("found")
  letClose()
  await opening
  expect(counts).toEqual({ open: 0, closing: 1 })
  expect(devices.states).toEqual([])
})

test("stopping does not wait for a journal whose disk hangs", async () => {
  const clock = new FakeClock()
  const hanging = createDeferred<Journal>()
  const { devices, open } = start({ clock, openJournal: () => hanging.promise })
  void open("found", "sim:echo")
  const stopped = devices.stop()
  await clock.advanceAsync(3_000)
  await stopped
  hanging.resolve(createMemoryJournal({ clock, createEpoch }))
})

test("a device that is only shown is removed like it is hidden", () => {
  const { devices, changed, show } = start()
  show("found", "/dev/ttyUSB7")
  devices.remove("found")
  expect(devices.states).toEqual([])
  expect(changed).toEqual(["found", "found"])
})

test("what is shown of a device may change while it is there, but not since when", () => {
  const clock = new FakeClock()
  const { devices, show, stateOf } = start({ clock })
  show("found", "/dev/ttyUSB7")
  const since = stateOf("found")?.since
  clock.advance(5_000)
  show("found", "/dev/serial/by-id/usb-Uno")
  expect(devices.states).toMatchObject([{ port: "/dev/serial/by-id/usb-Uno", since, online: false }])
})
