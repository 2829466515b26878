import { EventEmitter } from "node:events"
import type { FSWatcher } from "node:fs"
import { appendFile, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createLogger } from "@serialcast/service-kit"
import { eventually, FakeClock } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { type PortWatchOptions, watchPorts } from "./watch-ports.ts"

async function start(ports: (dev: string) => string[], options: Partial<PortWatchOptions> = {}) {
  const root = await mkdtemp(join(tmpdir(), "serialcast-watch-"))
  onTestFinished(() => rm(root, { recursive: true }))
  const dev = join(root, "dev")
  await mkdir(dev)
  const lines: string[] = []
  const log = createLogger({
    name: "test",
    level: "warn",
    pretty: false,
    destination: { write: (line) => void lines.push(line) },
  })
  const clock = new FakeClock()
  const watch = watchPorts({ dev, ports: ports(dev), clock, log, ...options })
  onTestFinished(() => watch[Symbol.dispose]())
  const told = { changes: 0, appeared: [] as string[] }
  watch.onChanged(() => told.changes++)
  watch.onAppeared((path) => told.appeared.push(path))
  return { root, dev, watch, told, clock, lines }
}

test("a node that comes or goes is a change; a configured one has appeared", async () => {
  const { dev, told, watch } = await start((dev) => [join(dev, "ttyUSB0")])
  expect(watch.isComplete).toBe(true)
  await writeFile(join(dev, "ttyUSB1"), "")
  await eventually(() => expect(told.changes).toBeGreaterThan(0))
  expect(told.appeared).toEqual([])
  await writeFile(join(dev, "ttyUSB0"), "")
  await eventually(() => expect(told.appeared).toEqual([join(dev, "ttyUSB0")]))
  const before = told.changes
  await rm(join(dev, "ttyUSB0"))
  await eventually(() => expect(told.changes).toBeGreaterThan(before))
  expect(told.appeared).toHaveLength(1)
})

test("links are heard of when their folders come, go with the last device, and come again", async () => {
  const { root, dev, told } = await start((dev) => [join(dev, "serial/by-id/usb-Uno")])
  const folder = join(dev, "serial/by-id")
  for (let times = 1; times <= 3; times++) {
    await mkdir(folder, { recursive: true })
    await symlink(root, join(folder, "usb-Uno"))
    await eventually(() => expect(told.appeared.length).toBeGreaterThan(0))
    expect(new Set(told.appeared.splice(0))).toEqual(new Set([join(folder, "usb-Uno")]))
    await rm(join(dev, "serial"), { recursive: true })
    const before = told.changes
    await mkdir(folder, { recursive: true })
    await eventually(() => expect(told.changes).toBeGreaterThan(before))
    const heard = told.changes
    await symlink(root, join(folder, "usb-Other"))
    await eventually(() => expect(told.changes).toBeGreaterThan(heard))
    await rm(join(dev, "serial"), { recursive: true })
  }
})

test("a configured port outside of /dev appears too, and what else comes there is no change", async () => {
  const { root, told } = await start((dev) => [join(dev, "../ttyV0"), "sim:echo", "tcp://box.lan:7000"])
  await writeFile(join(root, "unrelated"), "")
  await writeFile(join(root, "new"), "")
  await rename(join(root, "new"), join(root, "ttyV0"))
  await eventually(() => expect(told.appeared).toEqual([join(root, "ttyV0")]))
  expect(told.changes).toBe(0)
})

test("a folder that cannot be watched is told once, and tried again half a minute later", async () => {
  let attempts = 0
  const { watch, clock, lines, dev, told } = await start(() => [], {
    watchFolder() {
      attempts++
      throw Object.assign(new Error("ENOSPC: System limit for number of file watchers reached"), {
        code: "ENOSPC",
      })
    },
  })
  expect(watch.isComplete).toBe(false)
  const folders = attempts
  watch.refresh()
  expect(attempts).toBe(folders)
  clock.advance(30_000)
  watch.refresh()
  expect(attempts).toBe(2 * folders)
  expect(lines.filter((line) => line.includes(`"${dev}"`))).toHaveLength(1)
  expect(told.changes).toBeGreaterThan(0)
})

test("a /dev that is missing, or a watch that fails later, leaves the watch incomplete", async () => {
  const missing = await start(() => [], { dev: "/nowhere/dev" })
  expect(missing.watch.isComplete).toBe(false)
  expect(missing.lines).toHaveLength(1)

  const watchers: EventEmitter[] = []
  const { watch, clock } = await start(() => [], {
    watchFolder() {
      // Only what the watch uses of it.
      const watcher = Object.assign(new EventEmitter(), { close() {} })
      watchers.push(watcher)
      return watcher as unknown as FSWatcher
    },
  })
  expect(watch.isComplete).toBe(true)
  watchers[0]!.emit("error", new Error("EIO"))
  expect(watch.isComplete).toBe(false)
  clock.advance(30_000)
  watch.refresh()
  expect(watch.isComplete).toBe(true)
})

test("writes to a node in the folder are no change; where there are too many, the folder is left alone", async () => {
  let write = () => {}
  const { watch, told, clock, lines } = await start(() => [], {
    watchFolder(folder, listener) {
      if (folder.endsWith("/dev")) write = () => listener("change", "null")
      return Object.assign(new EventEmitter(), { close() {} }) as unknown as FSWatcher
    },
  })
  for (let n = 0; n < 30_000; n++) {
    write()
    if (n % 9_000 === 0) clock.advance(1_000)
  }
  expect([told.changes, watch.isComplete]).toEqual([0, true])
  for (let n = 0; n < 20_002; n++) write()
  expect([told.changes, watch.isComplete]).toEqual([1, false])
  expect(lines).toHaveLength(1)
})

test("after its end nothing is told", async () => {
  const { dev, watch, told } = await start((dev) => [join(dev, "ttyUSB0")])
  await writeFile(join(dev, "ttyUSB1"), "")
  await eventually(() => expect(told.changes).toBeGreaterThan(0))
  watch[Symbol.dispose]()
  const before = told.changes
  const other = watchPorts({
    dev,
    ports: [],
    clock: new FakeClock(),
    log: createLogger({ name: "test", level: "silent" }),
  })
  onTestFinished(() => other[Symbol.dispose]())
  const heard = new Promise<void>((resolve) => other.onChanged(resolve))
  await writeFile(join(dev, "ttyUSB0"), "")
  await heard
  await appendFile(join(dev, "ttyUSB0"), "x")
  expect(told).toEqual({ changes: before, appeared: [] })
})
