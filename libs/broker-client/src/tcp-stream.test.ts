import { once } from "node:events"
import { type AddressInfo, createServer, type Server, type Socket } from "node:net"
import {
  createFaultProxy,
  createMemoryBroker,
  eventually,
  type FaultProxy,
  type MemoryBroker,
} from "@serialcast/testkit"
import { afterEach, beforeEach, expect, test } from "vitest"
import type { BrokerClient } from "./client.ts"
import { streamOpener } from "./tcp-stream.ts"
import { codeOf, createTestClient, nextConnect, startClient, testTopics } from "./testing/test-broker.ts"

const rx = testTopics.device("rx", { gateway: "local", device: "uno" })
const large = new Uint8Array(60_000)
let broker: MemoryBroker
let server: Server
let proxy: FaultProxy
let client: BrokerClient

beforeEach(async () => {
  broker = await createMemoryBroker()
  server = createServer((socket) => broker.accept(socket)).listen(0, "127.0.0.1")
  await once(server, "listening")
  proxy = await createFaultProxy({ target: { host: "127.0.0.1", port: portOf(server) } })
  client = createTestClient(streamOpener(`mqtt://${proxy.host}:${proxy.port}`))
})

afterEach(async () => {
  await client.close()
  await proxy[Symbol.asyncDispose]()
  await broker[Symbol.asyncDispose]()
  server.close()
})

function portOf(listening: Server): number {
  return (listening.address() as AddressInfo).port
}

test("a client comes back by itself after the network cut it", async () => {
  await startClient(client)
  proxy.cut()
  await eventually(() => expect(client.isConnected).toBe(false))
  await nextConnect(client)
  await client.publish(rx, Uint8Array.of(1))
  await eventually(() => expect(broker.published()).toHaveLength(1))
})

test("a peer that does not read: publications wait within their bound, then are refused, and end with the connection", async () => {
  await startClient(client)
  proxy.freeze()
  const codes = new Set<string>()
  const outcomes: Promise<unknown>[] = []
  // The system's socket buffers take some megabytes first.
  while (outcomes.length < 1_000 && !codes.has("overloaded")) {
    const code = codeOf(client.publish(rx, large))
    outcomes.push(code.then((known) => codes.add(known ?? "taken")))
    await new Promise(setImmediate)
  }
  expect(codes.has("overloaded")).toBe(true)
  proxy.cut()
  await Promise.all(outcomes)
  expect(codes).toEqual(new Set(["taken", "broker_offline", "overloaded"]))
})

test("nothing of an old connection is sent on a new one", async () => {
  await startClient(client)
  proxy.freeze()
  const state = testTopics.device("state", { gateway: "local", device: "uno" })
  const old = codeOf(client.publish(state, Buffer.from("old")))
  proxy.cut()
  proxy.thaw()
  expect(await old).toBe("broker_offline")
  await nextConnect(client)
  await client.publish(state, Buffer.from("new"))
  expect(broker.published().map(({ payload }) => String(Buffer.from(payload)))).toEqual(["new"])
})

test("sockets send at once: QoS 1 would cost 44 ms a message otherwise", () => {
  for (const url of ["mqtt://127.0.0.1:1", "mqtts://127.0.0.1:1"]) {
    const socket = streamOpener(url)() as Socket
    socket.on("error", () => {})
    // Node shows the option nowhere else.
    const noDelay = Object.getOwnPropertySymbols(socket).find(
      ({ description }) => description === "kSetNoDelay",
    )
    expect(Reflect.get(socket, noDelay!)).toBe(true)
    socket.destroy()
  }
})

test.each(["", "broker", "localhost:1883", "http://broker", "tcp://broker:1883", "mqtt:// "])(
  "%j is no broker address",
  (url) => {
    expect(() => streamOpener(url)).toThrow(
      expect.objectContaining({ code: "bad_config", message: expect.stringContaining("mqtt://host:port") }),
    )
  },
)
