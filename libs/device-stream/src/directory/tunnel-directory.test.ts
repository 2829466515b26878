import type { BrokerClient } from "@serialcast/broker-client"
import { encodeReply, type TunnelState } from "@serialcast/contract"
import { createMemoryBroker, createTunnelState, eventually, type MemoryBroker } from "@serialcast/testkit"
import { afterEach, beforeEach, expect, test } from "vitest"
import { createTestClient, createTestLog, testTopics } from "../testing/test-agent.ts"
import { Tunnels } from "./tunnel-directory.ts"

const started = "2030-01-01T00:00:00.000Z"
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const nothing = new Uint8Array(0)
let broker: MemoryBroker
let reporter: BrokerClient
let service: BrokerClient
let tunnels: Tunnels
let log: ReturnType<typeof createTestLog>
let changes: number

beforeEach(async () => {
  broker = await createMemoryBroker()
  reporter = createTestClient(broker, "reporter")
  service = createTestClient(broker, "service")
  log = createTestLog()
  tunnels = new Tunnels(service, log)
  changes = 0
  tunnels.onChange(() => changes++)
  reporter.start()
  await new Promise<void>((resolve) => reporter.onConnected(resolve))
})

afterEach(async () => {
  await Promise.all([reporter.close(), service.close()])
  await broker[Symbol.asyncDispose]()
})

async function start(): Promise<void> {
  await tunnels.start()
  service.start()
  await new Promise<void>((resolve) => service.onConnected(resolve))
}

async function report(client: string, states: readonly unknown[]): Promise<void> {
  await reporter.publish(testTopics.tunnels(client), json({ started, tunnels: states }))
}

/** What a service says when it is asked. */
async function answer(body: object): Promise<void> {
  await reporter.publish(testTopics.reply("service"), encodeReply({ id: "_discover" }, body, "cbor"))
}

/** Where each tunnel is, in the order of the list. */
const endpoints = () => tunnels.list().map(({ endpoint }: TunnelState) => endpoint)

test("tunnels are listed service after service, each one's as its configuration has them", async () => {
  await start()
  await report("b", [createTunnelState({ endpoint: "127.0.0.1:7003", device: "local/due" })])
  const two = [
    createTunnelState({ endpoint: "127.0.0.1:7002" }),
    createTunnelState({ endpoint: "127.0.0.1:7001" }),
  ]
  await report("a", two)
  await eventually(() => expect(endpoints()).toEqual(["127.0.0.1:7002", "127.0.0.1:7001", "127.0.0.1:7003"]))
  expect(changes).toBe(2)
})

test("a newer report replaces the one before, and one that is taken back is gone", async () => {
  await start()
  await report("a", [createTunnelState({ clientCount: 1 })])
  await report("a", [createTunnelState({ clientCount: 2 })])
  await eventually(() => expect(tunnels.list()).toEqual([createTunnelState({ clientCount: 2 })]))
  await reporter.publish(testTopics.tunnels("a"), nothing)
  await eventually(() => expect(tunnels.list()).toEqual([]))
  expect(changes).toBe(3)
})

test("what is no report changes nothing", async () => {
  await start()
  await report("a", [createTunnelState()])
  await report("a", [{ ...createTunnelState(), type: "smoke" }])
  await reporter.publish(testTopics.tunnels("a"), json({ started, tunnels: "x".repeat(70_000) }))
  await report("b", [])
  await eventually(() => expect(changes).toBe(2))
  expect(tunnels.list()).toEqual([createTunnelState()])
})

test("what a broker kept counts for nothing: its service may have died with the broker, which then sends no will", async () => {
  await report("a", [createTunnelState({ clientCount: 1 })])
  await report("b", [createTunnelState({ clientCount: 2 })])
  await start()
  await answer({ client: "b", tunnels: { started, tunnels: [createTunnelState({ clientCount: 3 })] } })
  await eventually(() => expect(tunnels.list()).toEqual([createTunnelState({ clientCount: 3 })]))
  expect(changes).toBe(1)
})

test("the answers to a discovery count as reports do", async () => {
  await start()
  await answer({ client: "a", tunnels: { started, tunnels: [createTunnelState()] } })
  await answer({ client: "b", tunnels: "none" })
  await answer({ client: "Not a name", tunnels: { started, tunnels: [createTunnelState()] } })
  await answer({ gateway: "local" })
  await eventually(() => expect(tunnels.list()).toEqual([createTunnelState()]))
})

test("while the broker is away nothing is listed", async () => {
  await start()
  await report("a", [createTunnelState()])
  await eventually(() => expect(changes).toBe(1))
  await broker.disconnectAll()
  await eventually(() => expect(changes).toBe(2))
  expect(tunnels.list()).toEqual([])
})

test("services beyond the limit are ignored, and that is said once", async () => {
  await start()
  for (let n = 0; n < 260; n++) await report(`service-${n}`, [createTunnelState()])
  await report("service-0", [])
  await eventually(() => expect(tunnels.list()).toHaveLength(255))
  expect(log.warnings.filter((line) => line.includes("tunnel services beyond the limit"))).toHaveLength(1)
})
