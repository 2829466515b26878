import type { Holder } from "@serialcast/ports"
import { createLogger } from "@serialcast/service-kit"
import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { PortSharing, sharedProblem } from "./port-sharing.ts"

const log = createLogger({ name: "test", level: "silent" })
const ser2net: Holder = { pid: 7, name: "ser2net" }

function start() {
  const clock = new FakeClock()
  const looks: (readonly string[])[] = []
  const holders = new Map<string, readonly Holder[]>()
  const found = { isHanging: false }
  const sharing = new PortSharing({
    clock,
    log,
    async find(ports) {
      looks.push(ports)
      if (found.isHanging) await new Promise(() => {})
      return holders
    },
  })
  return { clock, looks, holders, found, sharing }
}

test("ports that are opened together are looked at together, soon, and then once a minute", async () => {
  const { clock, looks, holders, sharing } = start()
  const told: string[] = []
  const ports = ["/dev/a", "/dev/b", "tcp://server:1"]
  const watched = ports.map((port) => sharing.watch(port, ([holder]) => told.push(`${port} ${holder?.name}`)))
  await clock.advanceAsync(60_000)
  expect(looks).toEqual([])
  holders.set("/dev/b", [ser2net])
  for (const each of watched) each.opened()
  await clock.advanceAsync(300)
  expect(told).toEqual(["/dev/a undefined", "/dev/b ser2net"])
  expect(looks).toEqual([["/dev/a", "/dev/b"]])
  watched[0]?.[Symbol.dispose]()
  holders.clear()
  await clock.advanceAsync(60_000)
  expect(told.slice(2)).toEqual(["/dev/b undefined"])
  // The next look of the minute does not put off the one after an opening.
  watched[1]?.opened()
  await clock.advanceAsync(300)
  expect(looks).toHaveLength(3)
  sharing[Symbol.dispose]()
  expect(clock.pendingTimers).toBe(0)
})

test("a system that hangs while it is asked is asked again, and nobody waits for it", async () => {
  const { clock, looks, found, sharing } = start()
  found.isHanging = true
  using watched = sharing.watch("/dev/a", () => {})
  watched.opened()
  await clock.advanceAsync(300)
  found.isHanging = false
  await clock.advanceAsync(70_000)
  expect(looks).toHaveLength(2)
  sharing[Symbol.dispose]()
})

test("who shares a port is told by name, with what to do", () => {
  expect(sharedProblem("/dev/ttyUSB0", [])).toBeNull()
  expect(sharedProblem("/dev/ttyUSB0", [ser2net, { pid: 9, name: "cat" }])).toEqual({
    code: "port_shared",
    message:
      "ser2net (process 7) has /dev/ttyUSB0 open too, and takes a part of what the device sends; end it.",
  })
})
