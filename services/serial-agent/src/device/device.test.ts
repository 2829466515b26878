import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm, symlink } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  AppError,
  bytesOf,
  createTopics,
  type Destination,
  decodeStreamMessage,
  isMarkRecord,
  type Mark,
  type Payload,
} from "@serialcast/contract"
import { createEpoch, createMemoryJournal, type Journal } from "@serialcast/journal"
import { chooseDriver, defaultSettings } from "@serialcast/ports"
import { createWakeup, systemClock } from "@serialcast/primitives"
import { createLogger } from "@serialcast/service-kit"
import { countingBytes, createTemporaryFolder, eventually, openPty } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { PortSharing } from "../port/port-sharing.ts"
import { openTestJournal } from "../testing/disk-journal.ts"
import { type ManagedDevice, startDevice } from "./device.ts"

const topics = createTopics()
const log = createLogger({ name: "test", level: "silent" })

async function start(
  port: string,
  publish: (destination: Destination, payload: Payload) => Promise<void>,
  journal: Journal = createMemoryJournal({ clock: systemClock, createEpoch }),
): Promise<ManagedDevice> {
  const broker = { topics, isConnected: true, onConnected: () => () => {}, publish }
  const products = ["first", "second"]
  const sharing = new PortSharing({ clock: systemClock, log })
  onTestFinished(() => sharing[Symbol.dispose]())
  const device = startDevice(
    {
      gateway: "local",
      device: "uno",
      port,
      settings: defaultSettings,
      identity: {},
      framing: null,
      journal,
      driver: chooseDriver(port, systemClock),
      appeared: createWakeup(),
    },
    {
      broker,
      clock: systemClock,
      log,
      onChange: () => {},
      sharing,
      identify: async () => ({ product: products.shift() }),
    },
  )
  onTestFinished(() => device.stop())
  await eventually(() => expect(device.state.online).toBe(true))
  return device
}

test("bytes are in the journal before anything of them is published", async () => {
  const attempts: { readonly end: number; readonly kept: number }[] = []
  let isRefusing = true
  await using pty = await openPty()
  const device = await start(pty.path, async (destination, payload) => {
    if (destination.topic === topics.device("rx", { gateway: "local", device: "uno" }).topic) {
      attempts.push({ end: bytesOf(payload).byteLength, kept: device.journal.extent("rx").head })
      return
    }
    const { stream, record } = decodeStreamMessage(bytesOf(payload))
    if (stream === "tx" || isMarkRecord(record)) return
    const end = record.offset + record.bytes.byteLength
    attempts.push({ end, kept: device.journal.extent("rx").head })
    if (isRefusing) throw new AppError("overloaded", "The broker takes nothing.")
  })
  await pty.write(countingBytes(0, 1_000))
  await eventually(() => expect(device.journal.extent("rx").head).toBe(1_000))
  await eventually(() => expect(attempts.length).toBeGreaterThan(3))
  isRefusing = false
  await eventually(() => expect(attempts.at(-1)?.end).toBe(1_000))
  expect(attempts.filter(({ end, kept }) => end > kept)).toEqual([])
})

test("stopping publishes what a journal on disk shows a moment later: that this opening of the port is over", async () => {
  await using pty = await openPty()
  using folder = createTemporaryFolder()
  const journal = await openTestJournal({ dir: folder.path, clock: systemClock })
  const marks: Mark[] = []
  const publish = async (destination: Destination, payload: Payload) => {
    if (destination.topic !== topics.device("stream", { gateway: "local", device: "uno" }).topic) return
    const { record } = decodeStreamMessage(bytesOf(payload))
    if (isMarkRecord(record)) marks.push(record.mark)
  }
  const device = await start(pty.path, publish, journal)
  await device.stop()
  expect(marks).toMatchObject([
    { kind: "opened", open: 1 },
    { kind: "closed", open: 1 },
  ])
})

test("stopping does not wait for a disk that hangs", async () => {
  const journal = createMemoryJournal({ clock: systemClock, createEpoch })
  const hanging = Object.assign(journal, { settled: () => new Promise<void>(() => {}) })
  const device = await start("sim:echo", async () => {}, hanging)
  const startedMs = performance.now()
  await device.stop()
  expect(performance.now() - startedMs).toBeLessThan(2_000)
})

test("the state tells where the port was opened last: from there messages of a fixed length are counted", async () => {
  const folder = await mkdtemp(join(tmpdir(), "serialcast-device-"))
  onTestFinished(() => rm(folder, { recursive: true }))
  const path = join(folder, "port")
  await using before = await openPty()
  await symlink(before.path, path)
  const device = await start(path, async () => {})
  expect(device.state.openedAt).toBe(0)
  await before.write(countingBytes(0, 10))
  await eventually(() => expect(device.state.rx.head).toBe(10))
  await using after = await openPty()
  await before.unplug()
  await rm(path)
  await symlink(after.path, path)
  await eventually(() => expect(device.state).toMatchObject({ open: 2, openedAt: 10 }))
})

test("what is behind a port is looked up at each opening", async () => {
  const folder = await mkdtemp(join(tmpdir(), "serialcast-device-"))
  onTestFinished(() => rm(folder, { recursive: true }))
  const path = join(folder, "port")
  await using before = await openPty()
  await symlink(before.path, path)
  const device = await start(path, async () => {})
  await eventually(() => expect(device.state.identity).toEqual({ product: "first" }))
  await using after = await openPty()
  await before.unplug()
  await rm(path)
  await symlink(after.path, path)
  await eventually(() => expect(device.state).toMatchObject({ open: 2, identity: { product: "second" } }))
})

test("a program that had the port open first is told by name while both have it, and the device stays online", async () => {
  // Before the terminal, whose other end it would inherit.
  const first = spawn("sh", ["-c", "echo; read path; exec 7<>$path; echo; read line"])
  onTestFinished(() => void first.kill("SIGKILL"))
  await once(first.stdout, "data")
  await using pty = await openPty()
  first.stdin.write(`${pty.terminal}\n`)
  await once(first.stdout, "data")
  const device = await start(pty.path, async () => {})
  await eventually(() =>
    expect(device.state).toMatchObject({
      online: true,
      problem: { code: "port_shared", message: expect.stringMatching(`^sh \\(process ${first.pid}\\) has `) },
    }),
  )
})
