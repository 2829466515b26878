import { createBrokerClient } from "@serialcast/broker-client"
import { createTopics, encodeCall, encodeReply } from "@serialcast/contract"
import { systemClock } from "@serialcast/primitives"
import { createLogger, createMetrics } from "@serialcast/service-kit"
import { eventually } from "@serialcast/testkit"
import { connectAsync } from "mqtt"
import { expect, onTestFinished, test } from "vitest"
import { createBroker } from "../service.ts"

const topics = createTopics()
const device = { gateway: "local", device: "uno" }
const state = topics.device("state", device)
const stream = topics.device("stream", device)
const log = createLogger({ name: "test", level: "silent" })

async function start() {
  const anyPort = { host: "127.0.0.1", port: 0 }
  const broker = await createBroker(
    {
      broker: {
        listen: anyPort,
        websocket: anyPort,
        host: null,
        url: null,
        root: topics.root,
        clientBufferBytes: 1_048_576,
        dir: null,
        syncMs: 1_000,
      },
      access: { open: false, tokenFile: null, hosts: [] },
    },
    { log, clock: systemClock, metrics: createMetrics(), token: null },
  )
  onTestFinished(() => broker.stop())
  const join = (clientId: string) => {
    const options = { clientId, topics, localBroker: broker.local, credentials: null }
    const client = createBrokerClient(options, { clock: systemClock, log })
    onTestFinished(() => client.close())
    client.start()
    return client
  }
  const connect = async () => {
    const client = await connectAsync(`mqtt://127.0.0.1:${broker.address.port}`)
    onTestFinished(() => void client.endAsync(true))
    return client
  }
  return { broker, join, connect }
}

test("messages pass between the process and the network both ways, each once and in order", async () => {
  const { join, connect } = await start()
  const [inside, outside] = [join("inside"), await connect()]
  const heard: Record<string, number[]> = { inside: [], outside: [] }
  await eventually(() => expect(inside.isConnected).toBe(true))
  await inside.subscribe(stream, ({ payload }) => heard["inside"]?.push(payload[0] ?? -1))
  await outside.subscribeAsync(stream.topic)
  outside.on("message", (_, payload) => heard["outside"]?.push(payload[0] ?? -1))
  for (let n = 0; n < 100; n += 2) {
    await inside.publish(stream, Uint8Array.of(n))
    await outside.publishAsync(stream.topic, Buffer.of(n + 1), { qos: 1 })
  }
  const all = Array.from({ length: 100 }, (_, n) => n)
  await eventually(() => expect(heard).toEqual({ inside: all, outside: all }))
})

test("nobody encodes what only this process wants; whoever subscribes on the network gets all from then on", async () => {
  const { join, connect } = await start()
  const [agent, reader] = [join("agent"), join("reader")]
  await eventually(() => expect([agent.isConnected, reader.isConnected]).toEqual([true, true]))
  const heard: unknown[] = []
  await reader.subscribe(stream, ({ parcel }) => heard.push(parcel))
  let encoded = 0
  const parcels = Array.from({ length: 3 }, (_, n) => ({ n, encode: () => Uint8Array.of(encoded++) }))
  await agent.publish(stream, parcels[0]!)
  await eventually(() => expect(heard).toEqual([parcels[0]]))
  expect(encoded).toBe(0)
  const outside = await connect()
  await outside.subscribeAsync("serialcast/+/uno/#")
  const seen: number[] = []
  outside.on("message", (_, payload) => seen.push(...payload))
  await agent.publish(stream, parcels[1]!)
  await eventually(() => expect(seen).toEqual([0]))
  expect(heard).toHaveLength(2)
  await outside.unsubscribeAsync("serialcast/+/uno/#")
  await agent.publish(stream, parcels[2]!)
  await eventually(() => expect(heard).toEqual([parcels[0], undefined, parcels[2]]))
  expect(encoded).toBe(1)
})

test("a client of the network that vanished is wanted nothing for any more", async () => {
  const { join, connect } = await start()
  const agent = join("agent")
  const outside = await connect()
  await outside.subscribeAsync(stream.topic)
  await outside.endAsync(true)
  let encoded = 0
  await eventually(async () => {
    const before = encoded
    await agent.publish(stream, { encode: () => Uint8Array.of(encoded++) })
    expect(encoded).toBe(before)
  })
})

test("whoever is interested, and how often it changes, every message comes once and in order", async () => {
  const { join, connect } = await start()
  const [agent, reader] = [join("agent"), join("reader")]
  const outside = await connect()
  await eventually(() => expect([agent.isConnected, reader.isConnected]).toEqual([true, true]))
  const heard: number[] = []
  await reader.subscribe(stream, ({ payload }) => heard.push(payload[0]!))
  for (let n = 0; n < 200; n++) {
    if (n % 20 === 5) void outside.subscribeAsync(stream.topic)
    if (n % 20 === 15) void outside.unsubscribeAsync(stream.topic)
    void agent.publish(stream, Uint8Array.of(n))
    if (n % 3 === 0) await new Promise(setImmediate)
  }
  await eventually(() => expect(heard).toEqual(Array.from({ length: 200 }, (_, n) => n)))
})

test("what the broker kept comes to who subscribes later, until it is taken back", async () => {
  const { join } = await start()
  const agent = join("agent")
  await eventually(() => expect(agent.isConnected).toBe(true))
  await agent.publish(state, Uint8Array.of(1))
  const heard: unknown[] = []
  const reader = join("reader")
  const end = await reader.subscribe(topics.filter("state"), ({ payload, retained }) =>
    heard.push([...payload, retained]),
  )
  await eventually(() => expect(heard).toEqual([[1, true]]))
  await agent.publish(state, Uint8Array.of(2))
  await eventually(() =>
    expect(heard).toEqual([
      [1, true],
      [2, false],
    ]),
  )
  end()
  await agent.publish(state, new Uint8Array(0))
  const late: unknown[] = []
  await reader.subscribe(topics.filter("state"), () => late.push(null))
  await agent.publish(state, Uint8Array.of(3))
  await eventually(() => expect(late).toHaveLength(1))
  expect(heard).toHaveLength(2)
})

test("a call is answered though its reply comes at once", async () => {
  const { join } = await start()
  const [agent, caller] = [join("agent"), join("caller")]
  await agent.subscribe(topics.filter("call", { gateway: "local" }), ({ topic }) => {
    const parsed = topics.parse(topic)
    if (parsed?.kind === "call")
      void agent.publish(topics.reply(parsed.client), encodeReply({ id: "a" }, { lines: null }, "cbor"))
  })
  const destination = topics.call("lines", device, "caller")
  const call = { id: "a", destination, payload: encodeCall({ id: "a" }), timeoutMs: 30_000 }
  expect(await caller.request(call)).toMatchObject({ reply: { lines: null } })
})

test("with the broker the sessions on it end, and nothing can be published", async () => {
  const { broker, join } = await start()
  const client = join("client")
  await eventually(() => expect(client.isConnected).toBe(true))
  const over = new Promise<void>((resolve) => client.onDisconnected(resolve))
  await broker.stop()
  await over
  await expect(client.publish(stream, Uint8Array.of(1))).rejects.toMatchObject({ code: "broker_offline" })
})
