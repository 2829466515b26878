import { AppError, type ErrorCode } from "@serialcast/contract"
import { eventually, FakeClock } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { PlayedDevices } from "../testing/test-device.ts"
import { createDeviceLane } from "./device-lane.ts"

const bytes = (...values: number[]) => Uint8Array.from(values)
const error = (code: ErrorCode) => new AppError(code, "A test says so.")

function startLane({ lease }: { lease?: () => string | undefined } = {}) {
  const devices = new PlayedDevices()
  const clock = new FakeClock()
  const told = { taken: 0, refused: 0, failures: [] as string[] }
  const options = {
    address: "local/uno",
    by: "tcp:10.0.0.7:5000",
    lease,
    onTaken: (count: number) => void (told.taken += count),
    onRefused: (count: number) => void (told.refused += count),
    onFailed: ({ code }: AppError) => void told.failures.push(code),
  }
  const lane = createDeviceLane(options, { devices, clock })
  onTestFinished(() => lane[Symbol.asyncDispose]())
  return { lane, devices, clock, told }
}

const turn = () => new Promise(setImmediate)

test("writes of one opening are one session, in order, and taken when they have their receipt", async () => {
  const { lane, devices, told } = startLane()
  devices.drainsItself = false
  await lane.write(bytes(1))
  await lane.write(bytes(2, 3))
  await turn()
  expect([told.taken, lane.isIdle]).toEqual([0, false])
  expect(devices.sessions).toMatchObject([{ by: "tcp:10.0.0.7:5000", written: [bytes(1), bytes(2, 3)] }])
  devices.sessions[0]!.drain()
  await lane.flush()
  expect([told.taken, lane.isIdle]).toEqual([3, true])
})

test("a lane with nothing on its way goes on in a new session after a replug", async () => {
  const { lane, devices, clock, told } = startLane()
  await lane.write(bytes(1, 2))
  await lane.flush()
  devices.unplug()
  devices.replug()
  await clock.advanceAsync(50)
  await turn()
  await lane.write(bytes(3))
  await lane.flush()
  expect(devices.sessions.map(({ written }) => written)).toEqual([[bytes(1, 2)], [bytes(3)]])
  expect(told).toEqual({ taken: 3, refused: 0, failures: [] })
})

test("a byte that comes in while the device is unplugged, or just after, ends the lane", async () => {
  for (const isBack of [false, true]) {
    const { lane, devices, told } = startLane()
    devices.unplug()
    if (isBack) devices.replug()
    await lane.write(bytes(1))
    await lane.write(bytes(2, 3))
    expect(told).toEqual({ taken: 0, refused: 3, failures: ["device_offline"] })
    expect(devices.sessions).toEqual([])
  }
})

test("bytes behind a replug wait until it is known what became of those before it", async () => {
  const { lane, devices, clock, told } = startLane()
  devices.drainsItself = false
  await lane.write(bytes(1))
  devices.unplug()
  devices.replug()
  await clock.advanceAsync(50)
  await turn()
  const behind = lane.write(bytes(2))
  await turn()
  expect(devices.sessions).toHaveLength(1)
  devices.sessions[0]!.refuse(error("aborted"))
  await behind
  expect(devices.sessions).toHaveLength(1)
  expect(told).toEqual({ taken: 0, refused: 2, failures: ["aborted"] })
})

test("bytes that came in before a replug end the lane, however late their turn comes", async () => {
  const { lane, devices, clock, told } = startLane()
  const before = lane.opening
  devices.replug()
  await clock.advanceAsync(50)
  await turn()
  await lane.write(bytes(1), before)
  expect(told).toEqual({ taken: 0, refused: 1, failures: ["device_offline"] })
  expect(devices.sessions).toEqual([])
})

const refusals = [
  "aborted",
  "expired",
  "leased",
  "lease_lost",
  "no_reply",
  "overloaded",
  "out_of_order",
] as const

test.each(refusals)(
  "a write that is refused as %s ends the lane: nothing after it is written, whatever comes back",
  async (code) => {
    const { lane, devices, clock, told } = startLane()
    devices.drainsItself = false
    await lane.write(bytes(1, 2, 3))
    devices.sessions[0]!.refuse(error(code))
    await turn()
    devices.unplug()
    devices.replug()
    await clock.advanceAsync(2_000)
    await turn()
    await lane.write(bytes(4))
    expect(told).toEqual({ taken: 0, refused: 4, failures: [code] })
    expect(devices.sessions).toHaveLength(1)
  },
)

test("another lease is another session, begun when the one before is drained", async () => {
  let lease: string | undefined
  const { lane, devices } = startLane({ lease: () => lease })
  devices.drainsItself = false
  await lane.write(bytes(1))
  lease = "token"
  const second = lane.write(bytes(2))
  await turn()
  expect(devices.sessions).toHaveLength(1)
  devices.sessions[0]!.drain()
  await second
  expect(devices.sessions.map(({ lease, written }) => ({ lease, written }))).toEqual([
    { lease: undefined, written: [bytes(1)] },
    { lease: "token", written: [bytes(2)] },
  ])
})

test("a control is asked for when the writes before it are drained, and the writes behind it wait", async () => {
  const { lane, devices } = startLane({ lease: () => "token" })
  devices.drainsItself = false
  void lane.write(bytes(1))
  const configured = lane.configure({ baudRate: 9_600 })
  const later = lane.write(bytes(2))
  await turn()
  expect([devices.calls, devices.sessions[0]!.written]).toEqual([[], [bytes(1)]])
  devices.sessions[0]!.drain()
  await configured
  await later
  expect(devices.calls).toEqual([
    { verb: "configure", settings: { baudRate: 9_600 }, by: "tcp:10.0.0.7:5000", lease: "token" },
  ])
  expect(devices.sessions[0]!.written).toEqual([bytes(1), bytes(2)])
})

test("a control that is refused ends nothing", async () => {
  const { lane, devices, told } = startLane()
  await lane.write(bytes(1))
  await expect(lane.signal({ dtr: true })).rejects.toMatchObject({ code: "no_modem_lines" })
  await lane.write(bytes(2))
  await lane.flush()
  expect(devices.sessions).toMatchObject([{ written: [bytes(1), bytes(2)] }])
  expect(told).toEqual({ taken: 2, refused: 0, failures: [] })
})

test("a purge takes back what has no receipt and what waits, and a new session goes on", async () => {
  const { lane, devices, told } = startLane({ lease: () => "token" })
  devices.drainsItself = false
  await lane.write(bytes(1))
  const waiting = lane.write(bytes(2))
  await lane.purge()
  await waiting
  await lane.write(bytes(3))
  devices.sessions.at(-1)!.drain()
  await lane.flush()
  expect(devices.sessions.at(-1)!.written).toEqual([bytes(3)])
  expect(told).toEqual({ taken: 1, refused: 0, failures: [] })
  expect(devices.calls).toEqual([{ verb: "purge", by: "tcp:10.0.0.7:5000", lease: "token" }])
})

test("of changes of settings with nothing between them the last of each kind is made, and answers for all", async () => {
  const { lane, devices } = startLane({ lease: () => "token" })
  const before = lane.configure({ baudRate: 300 })
  await turn()
  devices.isDeaf = true
  const answers = Array.from({ length: 1_000 }, (_, n) => [
    lane.configure({ baudRate: 1_200 * (n + 1) }),
    lane.configure({ dataBits: n % 2 === 0 ? 8 : 7 }),
  ]).flat()
  devices.hearAgain()
  await before
  expect(new Set((await Promise.all(answers)).map(({ baudRate }) => baudRate))).toEqual(new Set([1_200_000]))
  const changes = devices.calls.map((call) => (call as { settings: object }).settings)
  expect(changes).toEqual([{ baudRate: 300 }, { baudRate: 1_200_000 }, { dataBits: 7 }])
})

test("changes of settings with a write between them are both made", async () => {
  const { lane, devices } = startLane()
  devices.drainsItself = false
  void lane.write(bytes(1))
  void lane.configure({ baudRate: 300 })
  void lane.write(bytes(2))
  const last = lane.configure({ baudRate: 600 })
  await turn()
  devices.sessions[0]!.drain()
  await eventually(() => expect(devices.sessions[0]!.written).toHaveLength(2))
  devices.sessions[0]!.drain()
  await last
  expect(devices.calls).toMatchObject([{ settings: { baudRate: 300 } }, { settings: { baudRate: 600 } }])
})

test("purges with nothing between them are one", async () => {
  const { lane, devices } = startLane({ lease: () => "token" })
  await Promise.all(Array.from({ length: 1_000 }, () => lane.purge()))
  expect(devices.calls).toHaveLength(1)
  await lane.write(bytes(1))
  await lane.purge()
  expect(devices.calls).toHaveLength(2)
})

test("without a lease a purge leaves the writes of others alone", async () => {
  const { lane, devices } = startLane()
  await lane.purge()
  expect(devices.calls).toEqual([])
})

test("a lane that is left tells what was not written, and leaves no timer and no listener", async () => {
  const { lane, devices, clock, told } = startLane()
  devices.drainsItself = false
  await lane.write(bytes(1, 2))
  await lane[Symbol.asyncDispose]()
  await turn()
  await lane.write(bytes(3))
  expect(told).toEqual({ taken: 0, refused: 3, failures: [] })
  expect([clock.pendingTimers, devices.listeners]).toEqual([0, 0])
})

test("what is written behind a purge waits until the agent has purged, and is not dropped with the rest", async () => {
  const { lane, devices } = startLane({ lease: () => "token" })
  await lane.write(bytes(1))
  devices.isDeaf = true
  const purged = lane.purge()
  await eventually(() => expect(devices.calls).toHaveLength(1))
  const later = lane.write(bytes(2))
  await turn()
  expect(devices.sessions.map(({ written }) => written)).toEqual([[bytes(1)]])
  devices.hearAgain()
  await Promise.all([purged, later])
  expect(devices.sessions.map(({ written }) => written)).toEqual([[bytes(1)], [bytes(2)]])
})

test("a write is made under the lease that its client had when it was sent, not under a later one or none", async () => {
  let lease: string | undefined = "first"
  const { lane, devices } = startLane({ lease: () => lease })
  devices.drainsItself = false
  void lane.write(bytes(1))
  void lane.signal({ dtr: true }).catch(() => {})
  const later = lane.write(bytes(2))
  lease = undefined
  await turn()
  devices.sessions[0]!.drain()
  await later
  expect(devices.sessions).toMatchObject([{ lease: "first", written: [bytes(1), bytes(2)] }])
})

test("what waits for the end of one session does not begin another one after a replug", async () => {
  let lease: string | undefined
  const { lane, devices, told } = startLane({ lease: () => lease })
  devices.drainsItself = false
  await lane.write(bytes(1))
  lease = "token"
  const waiting = lane.write(bytes(2))
  await turn()
  devices.unplug()
  devices.replug()
  devices.sessions[0]!.refuse(error("expired"))
  await waiting
  expect(devices.sessions).toHaveLength(1)
  expect(told).toEqual({ taken: 0, refused: 2, failures: ["expired"] })
})

test("leaving takes a second at most when nobody answers, also while a control waits for its turn", async () => {
  const { lane, devices, clock, told } = startLane()
  devices.drainsItself = false
  await lane.write(bytes(1))
  const configured = lane.configure({ baudRate: 9_600 })
  devices.isDeaf = true
  let isLeft = false
  const left = lane[Symbol.asyncDispose]().then(() => {
    isLeft = true
  })
  for (let ms = 0; ms < 1_000 && !isLeft; ms += 100) await clock.advanceAsync(100)
  expect(isLeft).toBe(true)
  await left
  expect([told.refused, lane.isIdle]).toEqual([1, true])
  expect([clock.pendingTimers, devices.listeners]).toEqual([0, 0])
  devices.hearAgain()
  await configured
})
