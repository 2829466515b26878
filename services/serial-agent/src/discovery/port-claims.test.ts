import { execFileSync } from "node:child_process"
import { link, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { AppError } from "@serialcast/contract"
import { defaultSettings, type OpenPort, type PortDriver, type PortListener } from "@serialcast/ports"
import { PortRecord } from "@serialcast/ports/testing"
import { openPty } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { PortClaims } from "./port-claims.ts"

/** A driver whose ports open, unless `failure` is set. */
class PlainDriver implements PortDriver {
  readonly listeners: PortListener[] = []
  failure: AppError | null = null

  async open(_settings: unknown, listener: PortListener): Promise<OpenPort> {
    if (this.failure !== null) throw this.failure
    this.listeners.push(listener)
    return {
      settings: defaultSettings,
      write: async ({ byteLength }) => byteLength,
      async drain() {},
      async configure() {},
      async signal() {},
      readLines: async () => null,
      async purge() {},
      async close() {
        listener.onClosed({ reason: "closed by the agent" })
      },
    }
  }
}

async function start() {
  const folder = await mkdtemp(join(tmpdir(), "serialcast-claims-"))
  onTestFinished(() => rm(folder, { recursive: true }))
  const node = join(folder, "ttyUSB0")
  const link = join(folder, "by-id")
  await writeFile(node, "")
  await symlink(node, link)
  const claims = new PortClaims()
  const driver = new PlainDriver()
  const device = (name: string, port: string) => {
    const guarded = claims.guard(driver, { device: name, port })
    return { open: () => guarded.open(defaultSettings, new PortRecord()) }
  }
  return { folder, node, link, claims, driver, device }
}

const conflict = (place: string, owner: string, other: string) => ({
  code: "port_conflict",
  message: `The ports of ${owner} and ${other} are both ${place}, which is left to ${owner}.`,
})

test("of a node and a link to it, the device that was added first opens, whichever tries first", async () => {
  const { node, link, device, driver } = await start()
  const uno = device("uno", link)
  const nano = device("nano", node)
  await expect(nano.open()).rejects.toMatchObject(conflict(node, "uno", "nano"))
  await uno.open()
  await expect(nano.open()).rejects.toMatchObject(conflict(node, "uno", "nano"))
  expect(driver.listeners).toHaveLength(1)
})

test("another name of the same node is the same port", async () => {
  const { folder, node, device } = await start()
  await link(node, join(folder, "alias"))
  await device("uno", node).open()
  const alias = join(folder, "alias")
  await expect(device("nano", alias).open()).rejects.toMatchObject(conflict(alias, "uno", "nano"))
})

test("two terminals are two ports, and a terminal is one under all its names", async () => {
  const { device } = await start()
  await using one = await openPty()
  await using other = await openPty()
  await device("uno", one.path).open()
  await device("nano", other.path).open()
  const again = device("due", one.terminal)
  await expect(again.open()).rejects.toMatchObject(conflict(one.terminal, "uno", "due"))
})

test.runIf(process.getuid?.() === 0)("a second node of a device is the same port", async () => {
  const { folder, device } = await start()
  const nodes = ["one", "two", "other"].map((name) => join(folder, name))
  const [one = "", two = "", other = ""] = nodes
  for (const [at, node] of nodes.entries()) execFileSync("mknod", [node, "c", "1", at < 2 ? "3" : "5"])
  await device("uno", one).open()
  await expect(device("nano", two).open()).rejects.toMatchObject(conflict(two, "uno", "nano"))
  await device("due", other).open()
})

test("two that open at once are not both open", async () => {
  const { node, link, device, driver } = await start()
  const devices = [device("uno", link), device("nano", node), device("due", node)]
  const outcomes = await Promise.allSettled(devices.toReversed().map((each) => each.open()))
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled"])
  expect(driver.listeners).toHaveLength(1)
})

test("the other one opens once the link leads elsewhere and the first has closed", async () => {
  const { folder, node, link, device } = await start()
  const uno = device("uno", link)
  const nano = device("nano", node)
  const open = await uno.open()
  const other = join(folder, "ttyUSB1")
  await writeFile(other, "")
  await rm(link)
  await symlink(other, link)
  // Still open at the node that its link led to.
  await expect(nano.open()).rejects.toMatchObject(conflict(node, "uno", "nano"))
  await open.close()
  await nano.open()
  await uno.open()
})

test("a port that could not be opened, or is not there, is not held", async () => {
  const { folder, node, device, driver, claims } = await start()
  const uno = device("uno", node)
  driver.failure = new AppError("open_failed", "denied")
  await expect(uno.open()).rejects.toBe(driver.failure)
  await expect(device("absent", join(folder, "none")).open()).rejects.toBe(driver.failure)
  driver.failure = null
  claims.forget("uno")
  await device("nano", node).open()
})

test.each([
  ["tcp://Box.lan:7000", "rfc2217://box.lan:7000", "box.lan:7000"],
  ["tcp://localhost:7000", "tcp://127.0.0.1:7000", "127.0.0.1:7000"],
  ["COM3", "com3", "com3"],
])("%s and %s are the same port", async (first, second, place) => {
  const { device } = await start()
  const [uno, nano] = [device("uno", first), device("nano", second)]
  await uno.open()
  await expect(nano.open()).rejects.toMatchObject(conflict(place, "uno", "nano"))
})

test.each([
  ["sim:echo", "sim:echo"],
  ["tcp://box.lan:7000", "tcp://box.lan:7001"],
])("%s and %s are two ports", async (first, second) => {
  const { device, driver } = await start()
  await device("uno", first).open()
  await device("nano", second).open()
  expect(driver.listeners).toHaveLength(2)
})
