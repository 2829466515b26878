import { type Change, type Outcome, type Resource, StoreUnavailable } from "@serialcast/resources"
import { createMemoryBroker, eventually, type MemoryBroker } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { testClient, testStore, topics } from "../testing/test-store.ts"
import type { BrokerStore } from "./broker-store.ts"
import { encodeAnswer } from "./messages.ts"

const text = (value: string) => new TextEncoder().encode(value)
const add = (uri: string, value = "0", methods = 15): Change => ({
  kind: "add",
  uri,
  contentType: "text/plain",
  value: text(value),
  methods,
  origin: "api",
})
const put = (uri: string, value: string): Change => ({
  kind: "put",
  uri,
  contentType: null,
  value: text(value),
  ifMatch: null,
  ifNoneMatch: null,
})
const child = (parent: string, value = "x"): Change => ({
  kind: "addChild",
  parent,
  contentType: null,
  value: text(value),
})
const remove = (uri: string): Change => ({ kind: "remove", uri, recursive: false, ifMatch: null })

async function startBroker(): Promise<MemoryBroker> {
  const broker = await createMemoryBroker()
  onTestFinished(() => broker[Symbol.asyncDispose]())
  return broker
}

function seen(store: Pick<BrokerStore, "list">): object[] {
  return store.list().map(({ value, ...rest }) => ({ ...rest, value: Buffer.from(value).toString() }))
}

function valueOf(store: BrokerStore, uri: string): string | undefined {
  const resource: Resource | undefined = store.get(uri)
  return resource && Buffer.from(resource.value).toString()
}

/** What was said last on the topic of a resource. */
function lastOn(broker: MemoryBroker, uri: string): string {
  return Buffer.from(broker.published(topics.resource(uri).topic).at(-1)!.payload).toString()
}

/** What somebody without a server of ours says. */
async function publish(broker: MemoryBroker, uri: string, payload: string): Promise<void> {
  const client = testClient(broker)
  client.start()
  onTestFinished(() => client.close())
  await eventually(() => expect(client.isConnected).toBe(true))
  await client.publish(topics.resource(uri), text(payload))
}

test("what one server answered, the other one has, and one that comes later", async () => {
  const broker = await startBroker()
  const [one, other] = [await testStore(broker), await testStore(broker)]
  expect(await one.apply(add("/a", "1"))).toMatchObject({ kind: "done", resource: { uri: "/a", serial: 1 } })
  expect(await other.apply(add("/a"))).toEqual({ kind: "refused", why: "exists", uri: "/a" })
  expect(await other.apply(add("/b+c", "2"))).toMatchObject({ kind: "done" })
  expect(await one.apply(put("/b+c", "3"))).toMatchObject({ kind: "done" })
  await eventually(() => expect(seen(other)).toEqual(seen(one)))
  const third = await testStore(broker)
  expect(seen(third)).toEqual(seen(one))
  expect(seen(one)).toMatchObject([{ uri: "/a" }, { uri: "/b+c", value: "3" }])
})

test("servers that start when nobody is there have what the broker kept", async () => {
  const broker = await startBroker()
  const first = await testStore(broker)
  for (let n = 0; n < 50; n++) await first.apply(add(`/r${n}`, `${n}`))
  await first.apply(remove("/r7"))
  await first.apply(put("/r8", "eight"))
  const before = seen(first)
  await first.close()
  const [one, other] = await Promise.all([testStore(broker), testStore(broker)])
  expect(seen(one)).toEqual(before)
  expect(seen(other)).toEqual(before)
  expect(await one.apply(child("/r1"))).toMatchObject({ kind: "done", resource: { serial: 51 } })
})

test("1,000 requests at two servers make as many children as there may be, each with a number of its own", async () => {
  const broker = await startBroker()
  const stores = [await testStore(broker, { maxUri: 601 }), await testStore(broker, { maxUri: 601 })]
  await stores[0]!.apply(add("/p"))
  const outcomes = await Promise.all(
    Array.from({ length: 1_000 }, (_, n): Promise<Outcome> => stores[n % 2]!.apply(child("/p", `${n}`))),
  )
  const made = outcomes.flatMap((outcome) => (outcome.kind === "done" ? [outcome.resource] : []))
  const refused = outcomes.filter((outcome) => outcome.kind === "refused")
  expect(new Set(made.map(({ uri }) => uri)).size).toBe(600)
  expect(refused).toHaveLength(400)
  for (const outcome of refused) expect(outcome).toMatchObject({ why: "full" })
  for (const { uri, value } of made) expect(stores[0]!.get(uri)?.value).toEqual(value)
  await eventually(() => expect(seen(stores[1]!)).toEqual(seen(stores[0]!)))
})

test("of many conditional changes at several servers exactly one is done", async () => {
  const broker = await startBroker()
  const stores = [await testStore(broker), await testStore(broker), await testStore(broker)]
  await stores[0]!.apply(add("/a"))
  for (let round = 0; round < 20; round++) {
    const ifMatch = [stores[0]!.get("/a")!.etag]
    const outcomes = await Promise.all(
      stores.map((store, n) => store.apply({ ...put("/a", `${round} ${n}`), ifMatch } as Change)),
    )
    expect(outcomes.filter(({ kind }) => kind === "done")).toHaveLength(1)
    await eventually(() => expect(new Set(stores.map((store) => valueOf(store, "/a"))).size).toBe(1))
  }
})

test("anybody on the broker may set a resource, make one and take one away", async () => {
  const broker = await startBroker()
  const [one, other] = [await testStore(broker), await testStore(broker)]
  await one.apply(add("/a", "1"))
  await publish(broker, "/a", '{"v":"by hand","m":3}')
  await publish(broker, "/new", '{"ct":"application/json","v":"{}"}')
  for (const store of [one, other]) {
    await eventually(() => expect(valueOf(store, "/a")).toBe("by hand"))
    await eventually(() => expect(store.get("/new")).toMatchObject({ contentType: "application/json" }))
    expect(store.get("/a")).toMatchObject({ methods: 3, serial: 1 })
  }
  await publish(broker, "/a", "")
  for (const store of [one, other]) await eventually(() => expect(store.get("/a")).toBeUndefined())
  await eventually(() => expect(seen(other)).toEqual(seen(one)))
})

test("what is no resource changes nothing; one too many is taken off the broker again", async () => {
  const broker = await startBroker()
  const store = await testStore(broker, { maxUri: 1 })
  await store.apply(add("/a", "1"))
  await publish(broker, "/a", "{")
  await publish(broker, "/b", '{"v":"x"}')
  await eventually(() =>
    expect(broker.published(topics.resource("/b").topic).at(-1)).toMatchObject({
      payload: new Uint8Array(0),
    }),
  )
  expect([store.size, valueOf(store, "/a")]).toEqual([1, "1"])
})

test("a broker that has lost everything is told it again, by a server that was there before", async () => {
  const lost = await startBroker()
  let broker = lost
  const store = await testStore({ connect: () => broker.connect() })
  await store.apply(add("/a", "1"))
  await store.apply(child("/a", "2"))
  const before = seen(store)
  broker = await startBroker()
  await lost.disconnectAll()
  await eventually(() => expect(store.isReady).toBe(false))
  await expect(store.apply(add("/b"))).rejects.toThrow(StoreUnavailable)
  expect(seen(store)).toEqual(before)
  await store.whenReady(30_000)
  await store.close()
  expect(seen(await testStore(broker))).toEqual(before)
})

test("a value that is too long is taken off the broker again, and of many a few are told in the log", async () => {
  const broker = await startBroker()
  const lines: object[] = []
  const again: string[] = []
  const log = {
    info: (_fields: object, line: string) => void again.push(line),
    warn: (fields: object) => void lines.push(fields),
  }
  const store = await testStore(broker, { log, maxBody: 10, maxBytes: 25 })
  await store.apply(add("/a", "1"))
  for (const value of ["12345678901", "1".repeat(32 * 1024)]) {
    await publish(broker, "/a", JSON.stringify({ v: value }))
    await eventually(() => expect(lastOn(broker, "/a")).toContain('"v":"1"'))
  }
  for (const uri of ["/b", "/c"]) await publish(broker, uri, '{"v":"1234567890"}')
  await eventually(() => expect(store.size).toBe(3))
  await publish(broker, "/d", '{"v":"12345"}')
  await eventually(() => expect(lastOn(broker, "/d")).toBe(""))
  expect([store.size, valueOf(store, "/a")]).toEqual([3, "1"])
  const client = testClient(broker)
  client.start()
  onTestFinished(() => client.close())
  await eventually(() => expect(client.isConnected).toBe(true))
  for (let n = 0; n < 200; n++) await client.publish(topics.resource(`/x/${n}`), text("{"))
  await client.publish(topics.resource("/a"), text('{"v":"2"}'))
  await eventually(() => expect(valueOf(store, "/a")).toBe("2"))
  expect(lines.length).toBeGreaterThan(3)
  expect(lines.length).toBeLessThanOrEqual(60)
  expect(again).toHaveLength(1)
})

test("who says late that it knows more, and then does not say it, takes nothing from anybody", async () => {
  const broker = await startBroker()
  const own = testClient(broker)
  const store = await testStore(broker, { broker: own })
  for (const uri of ["/a", "/b"]) await store.apply(add(uri, "1"))
  const client = testClient(broker)
  client.start()
  onTestFinished(() => client.close())
  await eventually(() => expect(client.isConnected).toBe(true))
  const here = encodeAnswer({ kind: "here", id: "1", from: "gone", since: 0 })
  await client.publish(topics.reply(own.clientId), here)
  await eventually(() => expect(store.isReady).toBe(false))
  await client.publish(topics.resourceIndex("00"), text('["/never"]'))
  await client.publish(topics.resource("/c"), text('{"v":"2"}'))
  await store.whenReady(30_000)
  await eventually(() =>
    expect(["/a", "/b", "/c"].map((uri) => valueOf(store, uri))).toEqual(["1", "1", "2"]),
  )
})

test("an index that names what is no resource keeps no server from starting", async () => {
  const broker = await startBroker()
  const client = testClient(broker)
  client.start()
  onTestFinished(() => client.close())
  await eventually(() => expect(client.isConnected).toBe(true))
  const bad = ["", "a", "/a//b", "/\u0000", `/${"x".repeat(70_000)}`]
  for (const [at, uri] of bad.entries())
    await client.publish(topics.resourceIndex(`0${at}`), text(JSON.stringify([uri])))
  const store = await testStore(broker)
  expect(await store.apply(add("/a"))).toMatchObject({ kind: "done" })
})

test("values together have a bound", async () => {
  const store = await testStore(await startBroker(), { maxBytes: 100 })
  expect(await store.apply(add("/a", "x".repeat(60)))).toMatchObject({ kind: "done" })
  expect(await store.apply(add("/b", "x".repeat(60)))).toMatchObject({ kind: "refused", why: "full" })
  expect(await store.apply(remove("/a"))).toMatchObject({ kind: "done" })
  expect(await store.apply(add("/b", "x".repeat(60)))).toMatchObject({ kind: "done" })
})
