import { createLogger } from "@serialcast/service-kit"
import { FakeClock } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { startDiscovery } from "./discovery.ts"

const log = createLogger({ name: "test", level: "silent" })
const port = (path: string) => ({ path, node: path, identity: {} })

async function start({ known = [], names = [] }: { known?: string[]; names?: string[] } = {}) {
  const clock = new FakeClock()
  const system = { ports: [port("/dev/ttyUSB0")], problem: null as Error | null, scans: 0 }
  const told: string[] = []
  const discovery = await startDiscovery({
    known,
    names,
    clock,
    log,
    async scan() {
      system.scans++
      if (system.problem !== null) throw system.problem
      return system.ports
    },
    events: {
      onFound: (name, { path }) => told.push(`found ${name} at ${path}`),
      onLost: (name) => told.push(`lost ${name}`),
    },
  })
  onTestFinished(() => discovery.stop())
  return { clock, system, told, discovery }
}

test("ports that are there are found at the start, later ones and lost ones within two seconds", async () => {
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

test("a by-id link that appears or goes while its port is there makes no other port of it", async () => {
  const { clock, system, told } = await start()
  const linked = { ...port("/dev/ttyUSB0"), path: "/dev/serial/by-id/usb-Arduino-if00" }
  system.ports = [linked]
  await clock.advanceAsync(2_000)
  system.ports = [port("/dev/ttyUSB0")]
  await clock.advanceAsync(2_000)
  expect(told).toEqual(["found ttyusb0 at /dev/ttyUSB0"])
  system.ports = []
  await clock.advanceAsync(2_000)
  expect(told[1]).toBe("lost ttyusb0")
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

test("nothing is looked for after a stop", async () => {
  const { clock, system, discovery } = await start()
  await discovery.stop()
  await clock.advanceAsync(10_000)
  expect(system.scans).toBe(1)
  expect(clock.pendingTimers).toBe(0)
})
