import { FakeClock } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { PlayedDevices } from "../testing/test-device.ts"
import { Openings } from "./openings.ts"

const first = "00000000000000aa/1"
const second = "00000000000000aa/2"

function follow(devices = new PlayedDevices()) {
  const clock = new FakeClock()
  const openings = new Openings({ address: "local/uno", devices, clock })
  onTestFinished(() => openings[Symbol.dispose]())
  return { clock, devices, openings }
}

test("bytes are for the opening that is there from the beginning", () => {
  const { openings } = follow()
  expect([openings.present, openings.forBytes]).toEqual([first, first])
})

test("while the device is unplugged they are for none", () => {
  const { openings, devices } = follow()
  devices.unplug()
  expect([openings.present, openings.forBytes]).toEqual([null, null])
})

test("after a replug they are for none for 50 ms: so long there may be some that were sent before it", async () => {
  const { clock, openings, devices } = follow()
  devices.unplug()
  devices.replug()
  await clock.advanceAsync(49)
  expect([openings.present, openings.forBytes]).toEqual([second, null])
  await clock.advanceAsync(1)
  await new Promise(setImmediate)
  expect(openings.forBytes).toBe(second)
})

test("a replug of which the unplug was not seen is one too", async () => {
  const { openings, devices } = follow()
  devices.replug()
  expect(openings.forBytes).toBeNull()
})

test("a broker that is away tells nothing of the device", () => {
  const { openings, devices } = follow()
  devices.setState({ online: false, problem: { code: "broker_offline", message: "" } })
  expect(openings.forBytes).toBe(first)
  devices.setState({ online: true, problem: null })
  expect(openings.forBytes).toBe(first)
})

test("what was sent before a device was announced is for none either", async () => {
  const { clock, openings, devices } = follow(new PlayedDevices({ isKnown: false }))
  expect(openings.forBytes).toBeNull()
  devices.setState({})
  expect(openings.forBytes).toBeNull()
  await clock.advanceAsync(50)
  await new Promise(setImmediate)
  expect(openings.forBytes).toBe(first)
})

type Told = Parameters<PlayedDevices["setState"]>[0]
const away: Told = { online: false, problem: { code: "open_failed", message: "" } }
const brokerAway: Told = { online: false, problem: { code: "broker_offline", message: "" } }
const there = (open: number): Told => ({ online: true, problem: null, open })

/** What the device is told to be, or how many milliseconds pass. */
const ways: Readonly<Record<string, readonly (Told | number)[]>> = {
  open: [],
  closed: [away],
  new: [there(2), 49],
}

test.each([
  ["open", brokerAway, [first, first]],
  ["closed", brokerAway, [null, null]],
  ["new", brokerAway, [second, null]],
  ["open", away, [null, null]],
  ["closed", away, [null, null]],
  ["new", away, [null, null]],
  ["open", there(3), ["00000000000000aa/3", null]],
  ["closed", there(3), ["00000000000000aa/3", null]],
  ["new", there(3), ["00000000000000aa/3", null]],
  ["open", 50, [first, first]],
  ["closed", 50, [null, null]],
  ["new", 1, [second, second]],
  ["open", there(1), [first, first]],
  ["closed", there(1), [first, first]],
  ["new", there(2), [second, null]],
] as const)("%s, and then %j: there is, and bytes are for, %j", async (state, then, expected) => {
  const { clock, devices, openings } = follow()
  for (const step of [...(ways[state] ?? []), then]) {
    if (typeof step === "number") await clock.advanceAsync(step)
    else devices.setState(step)
  }
  await new Promise(setImmediate)
  expect([openings.present, openings.forBytes]).toEqual(expected)
})

test("an opening stays new for its time, also when the device seems to go away and come back in it", async () => {
  const { clock, devices, openings } = follow()
  for (const step of [there(2), away, there(2)]) devices.setState(step)
  await clock.advanceAsync(49)
  await new Promise(setImmediate)
  expect([openings.present, openings.forBytes]).toEqual([second, null])
  await clock.advanceAsync(1)
  await new Promise(setImmediate)
  expect(openings.forBytes).toBe(second)
})

test("nothing is left when it is disposed in the middle", () => {
  const { clock, openings, devices } = follow()
  devices.replug()
  openings[Symbol.dispose]()
  expect([clock.pendingTimers, devices.listeners]).toEqual([0, 0])
})
