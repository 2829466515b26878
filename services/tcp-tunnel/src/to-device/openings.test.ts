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

test("nothing is left when it is disposed in the middle", () => {
  const { clock, openings, devices } = follow()
  devices.replug()
  openings[Symbol.dispose]()
  expect([clock.pendingTimers, devices.listeners]).toEqual([0, 0])
})
