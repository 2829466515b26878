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

/** A lane in this state, with a byte in its session, unless the device will not have it any more. */
async function laneIn(state: "working" | "failed" | "left") {
  let lease = "a"
  const started = startLane({ lease: () => lease })
  const { lane, devices, told } = started
  devices.drainsItself = false
  await lane.write(bytes(1))
  if (state === "failed") devices.sessions[0]!.refuse(error("aborted"))
  if (state === "left") await lane[Symbol.asyncDispose]()
  await turn()
  Object.assign(told, { refused: 0, failures: [] })
  return { ...started, otherLease: () => void (lease = "b") }
}

const asked: Readonly<Record<string, (started: Awaited<ReturnType<typeof laneIn>>) => unknown>> = {
  bytes: ({ lane }) => lane.write(bytes(2)),
  "bytes for none": ({ lane }) => lane.write(bytes(2), null),
  "bytes for one that is gone": ({ lane }) => lane.write(bytes(2), "00000000000000aa/0"),
  "bytes for another lease": ({ lane, otherLease }) => (otherLease(), lane.write(bytes(2))),
  signal: ({ lane }) => lane.signal({ dtr: true }).catch(() => {}),
  purge: ({ lane }) => Promise.all([lane.purge(), lane.purge()]),
  "purge, as it is refused": ({ lane, devices }) => {
    devices.sessions[0]!.refuse(error("aborted"))
    return lane.purge()
  },
  "bytes, and a purge": ({ lane }) => Promise.all([lane.write(bytes(2)), lane.purge()]),
}

// What was written in each session, the calls, how many bytes are refused, and what is told of a failure: at once, and when
// all that was written until then is drained.
test.each([
  ["working", "bytes", [[[1, 2]], [], 0, []], [[[1, 2]], [], 0, []]],
  ["working", "bytes for none", [[[1]], [], 1, ["device_offline"]], [[[1]], [], 1, ["device_offline"]]],
  ["working", "bytes for one that is gone", [[[1]], [], 0, []], [[[1]], [], 1, ["device_offline"]]],
  ["working", "bytes for another lease", [[[1]], [], 0, []], [[[1], [2]], [], 0, []]],
  ["working", "signal", [[[1]], [], 0, []], [[[1]], ["signal"], 0, []]],
  ["working", "purge", [[[1]], ["purge"], 0, []], [[[1]], ["purge"], 0, []]],
  [
    "working",
    "purge, as it is refused",
    [[[1]], ["purge"], 1, ["aborted"]],
    [[[1]], ["purge"], 1, ["aborted"]],
  ],
  ["working", "bytes, and a purge", [[[1]], ["purge"], 0, []], [[[1]], ["purge"], 0, []]],
  ["failed", "bytes", [[[1]], [], 1, []], [[[1]], [], 1, []]],
  ["failed", "bytes for none", [[[1]], [], 1, []], [[[1]], [], 1, []]],
  ["failed", "bytes for another lease", [[[1]], [], 1, []], [[[1]], [], 1, []]],
  ["failed", "signal", [[[1]], ["signal"], 0, []], [[[1]], ["signal"], 0, []]],
  ["failed", "purge", [[[1]], ["purge"], 0, []], [[[1]], ["purge"], 0, []]],
  ["left", "bytes", [[[1]], [], 1, []], [[[1]], [], 1, []]],
  ["left", "bytes for none", [[[1]], [], 1, []], [[[1]], [], 1, []]],
  ["left", "signal", [[[1]], ["signal"], 0, []], [[[1]], ["signal"], 0, []]],
  ["left", "purge", [[[1]], ["purge"], 0, []], [[[1]], ["purge"], 0, []]],
] as const)("a lane that is %s, asked for %s, does %j, and then %j", async (state, what, atOnce, drained) => {
  const started = await laneIn(state)
  const { devices, told } = started
  const done = () => [
    devices.sessions.map(({ written }) => written.flatMap((part) => [...part])),
    devices.calls.map((call) => (call as { verb: string }).verb),
    told.refused,
    told.failures,
  ]
  const answered = Promise.resolve(asked[what]?.(started))
  for (let step = 0; step < 3; step++) await turn()
  expect(done()).toEqual(atOnce)
  devices.sessions[0]!.drain()
  await answered
  expect(done()).toEqual(drained)
})

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
