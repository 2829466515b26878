import type { BrokerClient } from "@serialcast/broker-client"
import { type DeviceState, encodeReply } from "@serialcast/contract"
import { createMemoryBroker, eventually, type MemoryBroker } from "@serialcast/testkit"
import { afterEach, beforeEach, expect, test } from "vitest"
import {
  createTestClient,
  createTestLog,
  testAddress,
  testState,
  testStatus,
  testTopics,
} from "../testing/test-agent.ts"
import { Directory } from "./directory.ts"

const json = (value: unknown) => Buffer.from(JSON.stringify(value))
const stateTopic = testTopics.device("state", testAddress)
let broker: MemoryBroker
let agent: BrokerClient
let service: BrokerClient
let directory: Directory
let log: ReturnType<typeof createTestLog>
/** Every change, as `address online`. */
let changes: string[]

beforeEach(async () => {
  broker = await createMemoryBroker()
  agent = createTestClient(broker, "agent")
  service = createTestClient(broker, "service")
  log = createTestLog()
  directory = new Directory(service, log)
  changes = []
  directory.onChange(({ gateway, device }) => {
    const state = directory.get(`${gateway}/${device}`)
    changes.push(`${gateway}/${device} ${state === undefined ? "gone" : state.online}`)
  })
  agent.start()
  await new Promise<void>((resolve) => agent.onConnected(resolve))
})

afterEach(async () => {
  await Promise.all([agent.close(), service.close()])
  await broker[Symbol.asyncDispose]()
})

async function start(): Promise<void> {
  await directory.start()
  service.start()
  await new Promise<void>((resolve) => service.onConnected(resolve))
}

async function publishState(change: Partial<DeviceState> = {}): Promise<void> {
  const state = { ...testState, ...change }
  await agent.publish(testTopics.device("state", state), json(state))
}

test("states that the broker kept are there, sorted by address", async () => {
  await agent.publish(testTopics.status("local"), json({ ...testStatus, devices: ["uno", "due"] }))
  await publishState()
  await publishState({ device: "due" })
  await start()
  await eventually(() => expect(directory.list().map(({ device }) => device)).toEqual(["due", "uno"]))
  expect(directory.get("local/uno")).toEqual(testState)
  expect(directory.get("local/none")).toBeUndefined()
})

test("a state that the broker kept of a device that its gateway does not name any more is not shown", async () => {
  await publishState({ device: "removed" })
  await publishState()
  await agent.publish(testTopics.status("local"), json(testStatus))
  await start()
  await eventually(() => expect(directory.list().map(({ device }) => device)).toEqual(["uno"]))
  await agent.publish(testTopics.status("local"), json({ ...testStatus, devices: ["uno", "removed"] }))
  await eventually(() => expect(directory.get("local/removed")?.online).toBe(true))
})

test("while the broker is away every device is offline and says so; afterwards it is as it was", async () => {
  await agent.publish(testTopics.status("local"), json(testStatus))
  await publishState()
  await start()
  await eventually(() => expect(directory.get("local/uno")?.online).toBe(true))
  await broker.disconnectAll()
  await eventually(() => expect(changes.at(-1)).toBe("local/uno false"))
  expect(directory.get("local/uno")?.problem).toMatchObject({ code: "broker_offline" })
  await eventually(() => expect(directory.get("local/uno")?.online).toBe(true))
})

test("a device is online only while its gateway is, and says why it is not", async () => {
  await start()
  await publishState()
  await eventually(() => expect(changes).toEqual(["local/uno false"]))
  expect(directory.get("local/uno")).toMatchObject({ online: false, problem: { code: "device_offline" } })
  await agent.publish(testTopics.status("local"), json(testStatus))
  await eventually(() => expect(changes).toEqual(["local/uno false", "local/uno true"]))
  expect(directory.get("local/uno")).toEqual(testState)
  await agent.publish(testTopics.status("local"), json({ online: false }))
  await eventually(() => expect(changes.at(-1)).toBe("local/uno false"))
  expect(directory.list()).toMatchObject([{ online: false }])
})

test("the answers to a discovery count as states and statuses do: some brokers keep none for a wildcard", async () => {
  const asked: unknown[] = []
  await agent.subscribe(testTopics.discover(), ({ payload }) =>
    asked.push(JSON.parse(String(Buffer.from(payload)))),
  )
  await start()
  await eventually(() => expect(asked).toEqual([{ client: "service" }]))
  const answer = (body: object) =>
    agent.publish(
      testTopics.reply("service"),
      encodeReply({ id: "_discover" }, { gateway: "local", ...body }, "cbor"),
    )
  await answer({ status: testStatus })
  await answer({ state: testState })
  await answer({ state: { ...testState, device: "NOT A NAME" } })
  await eventually(() => expect(directory.list()).toEqual([testState]))
})

test("a withdrawn device is gone, and that is a change", async () => {
  await publishState()
  await start()
  await eventually(() => expect(directory.list()).toHaveLength(1))
  await agent.publish(stateTopic, new Uint8Array(0))
  await eventually(() => expect(changes.at(-1)).toBe("local/uno gone"))
  expect(directory.list()).toEqual([])
})

test("what is no state, or another device's, is ignored", async () => {
  await start()
  await agent.publish(stateTopic, json({ ...testState, device: "due" }))
  await agent.publish(stateTopic, json({ ...testState, online: "yes" }))
  await agent.publish(stateTopic, Buffer.from("{"))
  await agent.publish(testTopics.status("local"), Buffer.from("online"))
  await publishState({ port: "last" })
  await eventually(() => expect(changes).toHaveLength(1))
  expect(directory.list()).toMatchObject([{ device: "uno", port: "last" }])
})

test("beyond 8,192 devices and 1,024 gateways, new ones are ignored, said once, and known ones go on", async () => {
  await start()
  await publishState()
  await agent.publish(testTopics.status("local"), json(testStatus))
  const others = Array.from({ length: 8_192 }, (_, at) => `d${at}`)
  await Promise.all(others.map((device) => publishState({ gateway: "other", device })))
  const gateways = Array.from({ length: 1_024 }, (_, at) => `g${at}`)
  const status = json({ ...testStatus, devices: [] })
  await Promise.all(gateways.map((gateway) => agent.publish(testTopics.status(gateway), status)))
  await publishState({ port: "newest" })
  await eventually(() => expect(directory.get("local/uno")?.port).toBe("newest"))
  expect([
    directory.list().length,
    directory.get("other/d8190")?.device,
    directory.get("other/d8191"),
  ]).toEqual([8_192, "d8190", undefined])
  expect(log.warnings).toEqual(["ignoring gateways or devices beyond the limit"])
  await agent.publish(testTopics.device("state", { gateway: "other", device: "d0" }), new Uint8Array(0))
  await publishState({ gateway: "other", device: "d8191" })
  await eventually(() => expect(directory.get("other/d8191")?.device).toBe("d8191"))
})

test("an ended listener and a stopped directory hear nothing", async () => {
  await start()
  const heard: string[] = []
  const end = directory.onChange(({ port }) => heard.push(port))
  await publishState({ port: "first" })
  await eventually(() => expect(heard).toEqual(["first"]))
  end()
  await publishState({ port: "second" })
  await eventually(() => expect(changes).toHaveLength(2))
  directory.stop()
  await publishState({ port: "third" })
  expect([heard, changes.length, directory.get("local/uno")?.port]).toEqual([["first"], 2, "second"])
})

test("a device whose agent goes on naming it stays when somebody clears its state; it goes when the agent says so", async () => {
  await agent.publish(testTopics.status("local"), json({ ...testStatus, devices: ["uno", "due"] }))
  await publishState()
  await publishState({ device: "due" })
  await start()
  await eventually(() => expect(directory.list()).toHaveLength(2))
  await agent.publish(stateTopic, new Uint8Array(0))
  await publishState({ device: "due", port: "changed" })
  await eventually(() => expect(directory.get("local/due")?.port).toBe("changed"))
  expect(directory.get("local/uno")).toEqual(testState)
  await agent.publish(testTopics.status("local"), json({ ...testStatus, devices: ["due"] }))
  await eventually(() => expect(directory.get("local/uno")).toBeUndefined())
  // It is not only hidden: when the agent names it again, it says what it is then.
  await agent.publish(testTopics.status("local"), json({ ...testStatus, devices: ["uno", "due"] }))
  await publishState({ device: "due", port: "last" })
  await eventually(() => expect(directory.get("local/due")?.port).toBe("last"))
  expect(directory.get("local/uno")).toBeUndefined()
})
