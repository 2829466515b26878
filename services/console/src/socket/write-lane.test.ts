import { AppError } from "@serialcast/contract"
import { createDeferred } from "@serialcast/primitives"
import { expect, test } from "vitest"
import { FakeDevices } from "../testing/fake-devices.ts"
import { createWriteLane, maxWaiting, maxWaitingBytes } from "./write-lane.ts"

function openLane() {
  const devices = new FakeDevices()
  devices.setState({})
  const gate = createDeferred<void>()
  devices.onWrite = () => gate.promise
  const outcomes: string[] = []
  const pauses: boolean[] = []
  const held: number[] = []
  const lane = createWriteLane({
    onHeld: (bytes) => held.push(bytes),
    device: devices.device("local/uno"),
    by: "test",
    async report(id, outcome) {
      outcomes.push(`${id} ${outcome instanceof AppError ? outcome.code : "done"}`)
    },
    setPaused: (isPaused) => {
      if (isPaused !== (pauses.at(-1) ?? false)) pauses.push(isPaused)
    },
  })
  const isPaused = () => pauses.at(-1) ?? false
  return { devices, gate, outcomes, held, isPaused, lane }
}

const oneByte = { bytes: Uint8Array.of(1) }

test("the client is not read while too many writes wait, and is again when they are done", async () => {
  const { gate, outcomes, isPaused, lane } = openLane()
  // The first is on its way and waits no more.
  for (let index = 0; index < maxWaiting; index++) lane.submit(String(index), oneByte)
  expect(isPaused()).toBe(false)
  lane.submit("last", oneByte)
  expect(isPaused()).toBe(true)
  gate.resolve()
  await lane.idle()
  expect(isPaused()).toBe(false)
  expect(outcomes).toEqual([
    ...Array.from({ length: maxWaiting }, (_, index) => `${index} done`),
    "last done",
  ])
})

test("the client is not read while too many bytes wait", () => {
  const { isPaused, lane } = openLane()
  lane.submit("1", oneByte)
  lane.submit("2", { bytes: new Uint8Array(maxWaitingBytes - 1) })
  expect(isPaused()).toBe(false)
  lane.submit("3", oneByte)
  expect(isPaused()).toBe(true)
})

test("a refusal is answered in its turn, and does not end the lane", async () => {
  const { devices, gate, outcomes, lane } = openLane()
  lane.submit("1", oneByte)
  lane.submit("2", new AppError("bad_hex", "Not hex."))
  lane.submit("3", oneByte)
  gate.reject(new AppError("device_offline", "Offline."))
  await lane.idle()
  expect(outcomes).toEqual(["1 device_offline", "2 bad_hex", "3 device_offline"])
  expect(devices.writes).toHaveLength(2)
})

test("an ending lane lets the write on its way be, and refuses the others as expired", async () => {
  const { devices, gate, outcomes, lane } = openLane()
  lane.submit("1", oneByte)
  lane.submit("2", oneByte)
  lane.refuseRest()
  gate.resolve()
  await lane.idle()
  expect(outcomes).toEqual(["1 done", "2 expired"])
  expect(devices.writes).toHaveLength(1)
})

test("what the writes hold is told, the one on its way included, and very small ones cost what they take", async () => {
  const { gate, held, lane } = openLane()
  lane.submit("1", { bytes: new Uint8Array(1_000) })
  lane.submit("2", oneByte)
  expect(held).toEqual([1_512, 2_025])
  gate.resolve()
  await lane.idle()
  expect(held.slice(2)).toEqual([513, 0])
})
