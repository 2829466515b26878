import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { PortIdentity } from "@serialcast/contract"
import { systemClock } from "@serialcast/primitives"
import { createLogger } from "@serialcast/service-kit"
import { eventually, FakeClock } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { startDiscovery } from "./discovery.ts"
import { scanPorts } from "./scan-ports.ts"
import { watchPorts } from "./watch-ports.ts"

const log = createLogger({ name: "test", level: "silent" })
const port = (path: string, identity: PortIdentity = {}) => ({ path, node: path, identity })

interface StartOptions {
  readonly known?: string[]
  readonly names?: string[]
  /** Whether changes are heard of. */
  readonly isComplete?: boolean
}

async function start({ known = [], names = [], isComplete = false }: StartOptions = {}) {
  const clock = new FakeClock()
  const system = { ports: [port("/dev/ttyUSB0")], problem: null as Error | null, scans: 0 }
  const watch = { isComplete, change: () => {}, refreshes: 0 }
  const told: string[] = []
  const discovery = await startDiscovery({
    known,
    names,
    clock,
    log,
    watch: {
      get isComplete() {
        return watch.isComplete
      },
      refresh: () => watch.refreshes++,
      onChanged: (listener) => {
        watch.change = listener
      },
    },
    async scan() {
      system.scans++
      if (system.problem !== null) throw system.problem
      return system.ports
    },
    events: {
      onFound: (name, { path }) => told.push(`found ${name} at ${path}`),
      onLost: (name) => told.push(`lost ${name}`),
      onConfigured: (name) => told.push(`${name} is configured`),
    },
  })
  onTestFinished(() => discovery.stop())
  return { clock, system, told, discovery, watch }
}

test("without a watch, later ports and lost ones are found within two seconds", async () => {
  const { clock, system, told } = await start()
  expect(told.splice(0)).toEqual(["found ttyusb0 at /dev/ttyUSB0"])
  system.ports = [port("/dev/ttyACM0"), port("/dev/ttyUSB0")]
  await clock.advanceAsync(2_000)
  expect(told.splice(0)).toEqual(["found ttyacm0 at /dev/ttyACM0"])
  system.ports = []
  await clock.advanceAsync(2_000)
  expect(told.splice(0).sort()).toEqual(["lost ttyacm0", "lost ttyusb0"])
  await clock.advanceAsync(10_000)
  expect(told).toEqual([])
})

test("a port that comes back has its name again, though another that is named alike came in between", async () => {
  const { clock, system, told } = await start()
  system.ports = []
  await clock.advanceAsync(2_000)
  system.ports = [port("/dev/serial/ttyusb0")]
  await clock.advanceAsync(2_000)
  system.ports = [port("/dev/serial/ttyusb0"), port("/dev/ttyUSB0")]
  await clock.advanceAsync(2_000)
  expect(told).toEqual([
    "found ttyusb0 at /dev/ttyUSB0",
    "lost ttyusb0",
    "found ttyusb0-2 at /dev/serial/ttyusb0",
    "found ttyusb0 at /dev/ttyUSB0",
  ])
})

test("with a watch, a port is found once its links and its group had time to come", async () => {
  const { clock, system, told, watch } = await start({ isComplete: true })
  system.ports = [...system.ports, port("/dev/ttyACM0")]
  watch.change()
  await clock.advanceAsync(150)
  watch.change()
  await clock.advanceAsync(150)
  expect(told).toHaveLength(1)
  await clock.advanceAsync(100)
  expect(told[1]).toBe("found ttyacm0 at /dev/ttyACM0")
})

test("a storm of changes does not put the look off, and a change in the middle of a look is looked at", async () => {
  const { clock, system, watch } = await start({ isComplete: true })
  for (let ms = 0; ms < 6_000; ms += 50) {
    watch.change()
    await clock.advanceAsync(50)
  }
  expect(system.scans).toBeGreaterThanOrEqual(10)
  expect(system.scans).toBeLessThanOrEqual(12)
})

test("what a watch did not hear of is found within half a minute, and what it could not watch tried again", async () => {
  const { clock, system, told, watch } = await start({ isComplete: true })
  system.ports = []
  await clock.advanceAsync(29_999)
  expect(told).toHaveLength(1)
  await clock.advanceAsync(1)
  expect(told[1]).toBe("lost ttyusb0")
  expect(watch.refreshes).toBe(1)
})

test("a watch that fails makes the looks frequent at once", async () => {
  const { clock, system, told, watch } = await start({ isComplete: true })
  watch.isComplete = false
  watch.change()
  await clock.advanceAsync(1_000)
  system.ports = []
  await clock.advanceAsync(2_000)
  expect(told[1]).toBe("lost ttyusb0")
})

test("a link that appears or goes while its port is there makes no other port of it", async () => {
  const { clock, system, told } = await start()
  const link = "/dev/serial/by-id/usb-Arduino-if00"
  system.ports = [{ ...port("/dev/ttyUSB0", { links: [link] }), path: link }]
  await clock.advanceAsync(2_000)
  system.ports = [port("/dev/ttyUSB0")]
  await clock.advanceAsync(2_000)
  // It is the same one, known better, then less well.
  expect(told).toEqual([
    "found ttyusb0 at /dev/ttyUSB0",
    `found ttyusb0 at ${link}`,
    "found ttyusb0 at /dev/ttyUSB0",
  ])
  system.ports = []
  await clock.advanceAsync(2_000)
  expect(told[3]).toBe("lost ttyusb0")
})

test.each([
  ["another device", { serialNumber: "A" }, { serialNumber: "B" }],
  ["one that is alike, in another socket", {}, {}],
])("%s that took the node over between two looks is another port", async (_what, before, after) => {
  const { clock, system, told } = await start()
  const at = (link: string, identity: PortIdentity) => ({
    ...port("/dev/ttyUSB0", { ...identity, links: [link] }),
    path: link,
  })
  system.ports = []
  await clock.advanceAsync(2_000)
  system.ports = [at("/dev/serial/first", before)]
  await clock.advanceAsync(2_000)
  system.ports = [at("/dev/serial/second", after)]
  await clock.advanceAsync(2_000)
  expect(told.slice(2)).toEqual([
    "found first at /dev/serial/first",
    "lost first",
    "found second at /dev/serial/second",
  ])
})

test("a found port whose configured link came late is the configured one from then on", async () => {
  const folder = await mkdtemp(join(tmpdir(), "serialcast-discovery-"))
  onTestFinished(() => rm(folder, { recursive: true }))
  const [node, link] = [join(folder, "ttyUSB7"), join(folder, "by-id")]
  const { clock, system, told } = await start({ known: [link] })
  system.ports = [port(node)]
  await clock.advanceAsync(2_000)
  await writeFile(node, "")
  await symlink(node, link)
  // Paths are resolved by the real system.
  await eventually(async () => {
    await clock.advanceAsync(2_000)
    expect(told.slice(2)).toEqual([`found ttyusb7 at ${node}`, "ttyusb7 is configured"])
  })
})

test("a port that is configured is not found, and configured names are not given away", async () => {
  const { told } = await start({ known: ["/dev/ttyUSB0", "sim:echo"] })
  expect(told).toEqual([])
  expect((await start({ names: ["ttyusb0"] })).told).toEqual(["found ttyusb0-2 at /dev/ttyUSB0"])
})

test("a look that fails loses no port, and the next one goes on", async () => {
  const { clock, system, told } = await start()
  system.problem = new Error("EMFILE")
  await clock.advanceAsync(4_000)
  expect(told).toHaveLength(1)
  system.problem = null
  system.ports = []
  await clock.advanceAsync(2_000)
  expect(told[1]).toBe("lost ttyusb0")
})

test("a port of the real system is found under its link within a second of its node, and lost as fast", async () => {
  const root = await mkdtemp(join(tmpdir(), "serialcast-discovery-"))
  onTestFinished(() => rm(root, { recursive: true }))
  const roots = { sys: join(root, "sys"), dev: join(root, "dev") }
  const usb = join(roots.sys, "devices/usb1/1-1")
  const tty = join(usb, "1-1:1.0")
  const [node, byId] = [join(roots.dev, "ttyACM0"), join(roots.dev, "serial/by-id")]
  await mkdir(tty, { recursive: true })
  await mkdir(join(roots.sys, "class/tty/ttyACM0"), { recursive: true })
  await mkdir(roots.dev)
  for (const [file, text] of [
    ["idVendor", "2341"],
    ["serial", "A"],
    ["1-1:1.0/bInterfaceNumber", "00"],
  ] as const)
    await writeFile(join(usb, file), text)
  const told: string[] = []
  const watch = watchPorts({ dev: roots.dev, ports: [], clock: systemClock, log })
  const discovery = await startDiscovery({
    known: [],
    names: [],
    scan: () => scanPorts(roots),
    watch,
    clock: systemClock,
    log,
    events: {
      onFound: (name, { path }) => told.push(`found ${name} at ${path}`),
      onLost: (name) => told.push(`lost ${name}`),
      onConfigured: () => {},
    },
  })
  onTestFinished(async () => {
    watch[Symbol.dispose]()
    await discovery.stop()
  })
  const untilTold = async (expected: readonly string[]) => {
    await eventually(() => expect(told.splice(0)).toEqual(expected), { timeoutMs: 1_000 })
  }
  for (let times = 0; times < 2; times++) {
    await symlink(tty, join(roots.sys, "class/tty/ttyACM0/device"))
    await writeFile(node, "")
    // udev is a little later than the kernel.
    await mkdir(byId, { recursive: true })
    await symlink(node, join(byId, "usb-Uno_A-if00"))
    await untilTold([`found uno_a-if00 at ${join(byId, "usb-Uno_A-if00")}`])
    await rm(join(roots.sys, "class/tty/ttyACM0/device"))
    await rm(node)
    await rm(join(roots.dev, "serial"), { recursive: true })
    await untilTold(["lost uno_a-if00"])
  }
})

test("nothing is looked for after a stop", async () => {
  const { clock, system, discovery } = await start()
  await discovery.stop()
  await clock.advanceAsync(10_000)
  expect(system.scans).toBe(1)
  expect(clock.pendingTimers).toBe(0)
})
