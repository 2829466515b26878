import {
  AppError,
  createTopics,
  type Destination,
  type DeviceState,
  deviceStateSchema,
  type GatewayStatus,
  parseJsonPayload,
} from "@serialcast/contract"
import { createLogger } from "@serialcast/service-kit"
import { createDeviceState, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { createAnnouncer } from "./announcer.ts"

const status: GatewayStatus = { online: true, instance: "i", version: "1", started: "", devices: ["uno"] }
const offline = createDeviceState({ online: false, port: "/dev/uno", epoch: "", since: "" })

function start() {
  const clock = new FakeClock()
  const published: string[] = []
  const availabilities: string[] = []
  const connection = {
    topics: createTopics(),
    isConnected: true,
    refusal: null as AppError | null,
    connected: () => {},
    onConnected(listener: () => void) {
      connection.connected = listener
      return () => {}
    },
    async publish({ topic }: Destination, payload: Uint8Array) {
      if (connection.refusal !== null) throw connection.refusal
      if (topic.endsWith("/availability"))
        return void availabilities.push(`${topic} ${new TextDecoder().decode(payload)}`)
      const state = parseJsonPayload(deviceStateSchema, payload)
      published.push(payload.byteLength === 0 ? `${topic} nothing` : `${topic} ${state?.online ?? "status"}`)
    },
  }
  let states: DeviceState[] = [offline]
  const asked = { all: 0 }
  const log = createLogger({ name: "test", level: "silent" })
  const announcer = createAnnouncer({
    broker: connection,
    gateway: "local",
    clock,
    log,
    status: () => status,
    states() {
      asked.all++
      return states
    },
    state: (device) => states.find((state) => state.device === device),
  })
  const setStates = (next: DeviceState[]) => {
    states = next
    announcer.announceDevice("uno")
  }
  return { clock, connection, published, availabilities, asked, setStates, announcer }
}

test("each connect announces everything, and until then nothing is said", () => {
  const { connection, published, announcer, setStates } = start()
  connection.isConnected = false
  setStates([{ ...offline, online: true }])
  announcer.announceStatus()
  expect(published).toEqual([])
  connection.isConnected = true
  connection.connected()
  expect(published).toEqual(["serialcast/local/status status", "serialcast/local/uno/state true"])
})

test("a full connection gets the newest state as soon as there is room", async () => {
  const { clock, connection, published, setStates } = start()
  connection.refusal = new AppError("overloaded", "full")
  setStates([{ ...offline, online: true }])
  await clock.advanceAsync(50)
  for (let change = 0; change < 100; change++) setStates([{ ...offline, online: change % 2 === 0 }])
  // One for the state, one for the availability.
  expect(clock.pendingTimers).toBe(2)
  connection.refusal = null
  await clock.advanceAsync(100)
  expect(published).toEqual(["serialcast/local/uno/state false"])
  expect(clock.pendingTimers).toBe(0)
})

test("a device's availability is said in a bare word, when it changes, and again at each connect", async () => {
  const { connection, availabilities, setStates } = start()
  const topic = "serialcast/local/uno/availability"
  const online = { ...offline, online: true }
  for (const state of [offline, offline, online, { ...online, tx: { oldest: 0, head: 7 } }, offline])
    setStates([state])
  await new Promise(setImmediate)
  expect(availabilities).toEqual([`${topic} offline`, `${topic} online`, `${topic} offline`])
  connection.connected()
  expect(availabilities.at(-1)).toBe(`${topic} offline`)
  expect(availabilities).toHaveLength(4)
  setStates([])
  expect(availabilities.at(-1)).toBe(`${topic} `)
})

test("to tell one device, or to hear of it, no other's state is made", () => {
  const { connection, asked, setStates, announcer } = start()
  connection.connected()
  asked.all = 0
  setStates([{ ...offline, online: true }])
  const payload = new Uint8Array(0)
  announcer.hear({ topic: "serialcast/local/uno/state", payload, retained: false })
  expect(asked.all).toBe(0)
})

test("a device that is gone is taken off the broker", () => {
  const { published, setStates } = start()
  setStates([])
  expect(published).toEqual(["serialcast/local/uno/state nothing"])
})

test("what is lost with its connection is not tried again on it", async () => {
  const { clock, connection, published, announcer } = start()
  connection.refusal = new AppError("broker_offline", "cut")
  announcer.announceStatus()
  connection.isConnected = false
  await clock.advanceAsync(1_000)
  connection.refusal = null
  await clock.advanceAsync(1_000)
  expect(published).toEqual([])
  expect(clock.pendingTimers).toBe(0)
})

test("whoever asks in a loop is told once a round, at the pace of the connection, and others get their turn", async () => {
  const { connection, announcer } = start()
  const told: string[] = []
  let takeNext = () => {}
  connection.publish = async ({ topic }) => {
    told.push(topic)
    await new Promise<void>((resolve) => {
      takeNext = resolve
    })
  }
  const ask = (client: string) => {
    const payload = new TextEncoder().encode(JSON.stringify({ client }))
    announcer.answer({ topic: "serialcast/_discover", payload, retained: false })
  }
  for (let n = 0; n < 1_000; n++) ask("greedy")
  ask("other")
  for (let n = 0; n < 10; n++) {
    takeNext()
    await new Promise(setImmediate)
  }
  const reply = (client: string) => `serialcast/_clients/${client}/reply`
  expect(told).toEqual([reply("greedy"), reply("greedy"), reply("other"), reply("other")])
})
