import { maxPublishedBytes } from "@serialcast/contract"
import { createMemoryBroker, eventually, type MemoryBroker } from "@serialcast/testkit"
import { afterEach, beforeEach, expect, test } from "vitest"
import type { BrokerClient, Message } from "./client.ts"
import { createTestClient, nextConnect, startClient, testTopics } from "./testing/test-broker.ts"

const uno = { gateway: "local", device: "uno" }
const rx = testTopics.device("rx", uno)
const state = testTopics.device("state", uno)
let broker: MemoryBroker
let granted: (filter: string) => boolean
let clients: BrokerClient[]

beforeEach(async () => {
  granted = () => true
  broker = await createMemoryBroker({ grants: (filter) => granted(filter) })
  clients = []
})

afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()))
  await broker[Symbol.asyncDispose]()
})

async function connect(clientId: string): Promise<BrokerClient> {
  const client = createTestClient(() => broker.connect(), { clientId })
  clients.push(client)
  return await startClient(client)
}

/** What `client` hears on `filter`, as `topic payload`. */
async function listen(client: BrokerClient, filter = rx): Promise<string[]> {
  const heard: string[] = []
  await client.subscribe(filter, ({ topic, payload }) =>
    heard.push(`${topic} ${new TextDecoder().decode(payload)}`),
  )
  return heard
}

test("a message reaches the one handler whose filter it matches, as plain bytes", async () => {
  const [subscriber, publisher] = [await connect("s"), await connect("p")]
  const states = await listen(subscriber, testTopics.filter("state"))
  const messages: Message[] = []
  await subscriber.subscribe(rx, (message) => messages.push(message))
  await publisher.publish(rx, Uint8Array.of(0, 255))
  await eventually(() => expect(messages).toHaveLength(1))
  expect(messages[0]).toEqual({ topic: rx.topic, payload: Uint8Array.of(0, 255), retained: false })
  expect(Object.getPrototypeOf(messages[0]!.payload)).toBe(Uint8Array.prototype)
  expect(states).toEqual([])
})

test("a filter that is open at its end hears the level before it, and all below", async () => {
  const [subscriber, publisher] = [await connect("s"), await connect("p")]
  const heard = await listen(subscriber, testTopics.filter("resource"))
  const uris = ["/", "/a", "/a/b/c"]
  for (const uri of uris) await publisher.publish(testTopics.resource(uri), Buffer.from(uri))
  await eventually(() => expect(heard).toEqual(uris.map((uri) => `${testTopics.resource(uri).topic} ${uri}`)))
})

test("what the broker kept is told from what was published just now", async () => {
  const publisher = await connect("p")
  await publisher.publish(state, Buffer.from("old"))
  const seen: (string | boolean)[] = []
  const subscriber = await connect("s")
  await subscriber.subscribe(testTopics.filter("state"), ({ payload, retained }) => {
    seen.push(String(Buffer.from(payload)), retained)
  })
  await eventually(() => expect(seen).toEqual(["old", true]))
  await publisher.publish(state, Buffer.from("new"))
  await eventually(() => expect(seen).toEqual(["old", true, "new", false]))
})

test("a message that some brokers would end the connection for is refused, and the connection goes on", async () => {
  const [subscriber, publisher] = [await connect("s"), await connect("p")]
  const heard = await listen(subscriber)
  const tooLarge = publisher.publish(rx, new Uint8Array(maxPublishedBytes + 1))
  await expect(tooLarge).rejects.toMatchObject({ code: "too_large" })
  await publisher.publish(rx, Uint8Array.of(0x61))
  await eventually(() => expect(heard).toEqual([`${rx.topic} a`]))
})

test("a message is published with the QoS and retained flag of its destination", async () => {
  const publisher = await connect("p")
  await Promise.all([rx, state].map((destination) => publisher.publish(destination, Uint8Array.of(1))))
  expect(broker.published().map(({ topic, qos, retain }) => ({ topic, qos, retain }))).toEqual([rx, state])
})

test("subscriptions made before the start and later both stand after a cut", async () => {
  const subscriber = createTestClient(() => broker.connect())
  clients.push(subscriber)
  const early = await listen(subscriber)
  await startClient(subscriber)
  const late = await listen(subscriber, state)
  await broker.disconnectAll()
  const publisher = await connect("p")
  await nextConnect(subscriber)
  await Promise.all([rx, state].map((destination) => publisher.publish(destination, Buffer.from("x"))))
  await eventually(() => expect([...early, ...late]).toEqual([`${rx.topic} x`, `${state.topic} x`]))
})

test("an ended subscription hears nothing, and its end does not touch a newer one of the same filter", async () => {
  const [subscriber, publisher] = [await connect("s"), await connect("p")]
  const old: Message[] = []
  const end = await subscriber.subscribe(rx, (message) => old.push(message))
  end()
  const heard = await listen(subscriber)
  end()
  await publisher.publish(rx, Buffer.from("x"))
  await eventually(() => expect(heard).toHaveLength(1))
  expect(old).toEqual([])
})

test("the same filter twice is refused: the second handler would take the first one's messages", async () => {
  const client = await connect("s")
  await listen(client)
  await expect(listen(client)).rejects.toThrow(RangeError)
})

test("a refused subscription is unauthorized, forgotten, and does not end the connection", async () => {
  granted = (filter) => filter !== rx.topic
  const client = await connect("s")
  await expect(listen(client)).rejects.toMatchObject({
    code: "unauthorized",
    message: expect.stringContaining(rx.topic),
  })
  granted = () => true
  const heard = await listen(client)
  await client.publish(rx, Buffer.from("x"))
  await eventually(() => expect(heard).toHaveLength(1))
})
