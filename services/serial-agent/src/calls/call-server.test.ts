import { randomUUID } from "node:crypto"
import { mkdtemp, rm, symlink } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { BrokerClient } from "@serialcast/broker-client"
import { createTopics, decodeReply, encodeCall, maxChunkBytes, maxPayloadBytes } from "@serialcast/contract"
import { createMemoryJournal, type Journal } from "@serialcast/journal"
import { createLogger } from "@serialcast/service-kit"
import {
  countingBytes,
  eventually,
  FakeClock,
  type MemoryBroker,
  openPty,
  type PtyDevice,
} from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import {
  call,
  startAgent,
  startBroker,
  startClient,
  startDeviceClient,
  untilState,
} from "../testing/test-agent.ts"
import { createCallHandler } from "./call-server.ts"

interface Setup {
  readonly memory: MemoryBroker
  readonly pty: PtyDevice
  readonly client: BrokerClient
  /** Publishes a call as a person would; answers what comes back for it. */
  readonly sendText: (verb: string, text: string) => Promise<unknown>
}

async function start(): Promise<Setup> {
  const pty = await openPty()
  onTestFinished(() => pty[Symbol.asyncDispose]())
  const memory = await startBroker()
  await startAgent(() => memory.connect(), { uno: pty.path })
  await untilState(await startDeviceClient(memory), "local/uno", ({ online }) => online)
  const client = await startClient(memory)
  const sendText = async (verb: string, text: string) => {
    const caller = `person-${randomUUID().slice(0, 8)}`
    const replied = new Promise<unknown>((resolve) => {
      const filter = { topic: `serialcast/_clients/${caller}/reply`, qos: 0, retain: false } as const
      void client.subscribe(filter, ({ payload }) => resolve(JSON.parse(Buffer.from(payload).toString())))
    })
    const topic = `serialcast/local/uno/call/${verb}/${caller}`
    await client.publish({ topic, qos: 0, retain: false }, new TextEncoder().encode(text))
    return await replied
  }
  return { memory, pty, client, sendText }
}

const write = (bytes: Uint8Array, more: object = {}) => ({ id: randomUUID(), by: "test", bytes, ...more })

test("a write is answered with its receipt", async () => {
  const { pty, client } = await start()
  const { receipt } = await call(client, "uno/call/write", write(Uint8Array.of(1, 2, 3)))
  expect(receipt).toMatchObject({ bytes: 3, drainedUs: expect.any(Number) })
  expect(await pty.read(3)).toEqual(Uint8Array.of(1, 2, 3))
})

test("a person may call in JSON, and is answered in JSON", async () => {
  const { pty, sendText } = await start()
  expect(await sendText("write", '{"id":"1","text":"hé"}')).toMatchObject({
    id: "1",
    ok: true,
    receipt: { bytes: 3 },
  })
  expect(await sendText("write", '{"id":"2","hex":"00ff"}')).toMatchObject({ id: "2", receipt: { bytes: 2 } })
  expect(await sendText("write", '{"id":"3","base64":"AQ=="}')).toMatchObject({ id: "3" })
  expect(await pty.read(6)).toEqual(Uint8Array.of(0x68, 0xc3, 0xa9, 0, 255, 1))
  await pty.write(Uint8Array.of(0xab))
  const page = await eventually(async () => {
    const reply = await sendText("history", '{"id":"4","from":"-1"}')
    expect(reply).toMatchObject({ page: { records: [{ m: { kind: "opened" } }, { b: "AB" }] } })
    return reply
  })
  expect(page).toMatchObject({ id: "4", ok: true })
})

test("a page in JSON fits a payload that every broker takes", async () => {
  const { pty, client, sendText, memory } = await start()
  await pty.write(countingBytes(0, 2 * maxChunkBytes))
  await eventually(async () => {
    const { page } = await call(client, "uno/call/history", { id: randomUUID(), from: "now" })
    expect(page).toMatchObject({ head: expect.stringMatching(/-120000$/) })
  })
  await sendText("history", '{"id":"1","from":"start"}')
  await call(client, "uno/call/history", { id: "2", from: "start" })
  for (const { topic, payload } of memory.published())
    expect(payload.byteLength, topic).toBeLessThanOrEqual(maxPayloadBytes)
})

test.each([
  ["write", '{"id":"1","hex":"0"}', "bad_hex"],
  ["write", '{"id":"1"}', "bad_request"],
  ["write", '{"id":"1","text":"a","hex":"00"}', "bad_request"],
  ["write", '{"id":"1","text":"a","part":3,"parts":2}', "bad_request"],
  ["write", '{"id":"1","text":"a","ttlms":3}', "bad_request"],
  ["history", '{"id":"1","from":"yesterday"}', "bad_cursor"],
  ["history", '{"id":"1","from":"ffffffffffffffff-0","maxBytes":0}', "bad_request"],
  ["dance", '{"id":"1"}', "unsupported"],
  ["search", '{"id":"1"}', "unsupported"],
  ["configure", '{"id":"1","settings":{},"now":true,"session":"s","seq":0}', "bad_request"],
  ["signal", '{"id":"1","macro":"X"}', "bad_request"],
  ["signal", '{"id":"1","dtr":true}', "no_modem_lines"],
])("%s %s is refused as %s, and the refusal finds the caller", async (verb, text, code) => {
  const { sendText, pty } = await start()
  expect(await sendText(verb, text)).toMatchObject({ id: "1", error: { code, message: expect.any(String) } })
  expect(pty.received).toBe(0)
})

test.each([
  ["JSON that is none", '{"id":'],
  ["an id that is none", '{"id":7,"text":"a"}'],
])("%s is refused in JSON, without an id", async (_name, text) => {
  const { sendText } = await start()
  expect(await sendText("write", text)).toMatchObject({ id: "", error: { code: expect.any(String) } })
})

test("bytes that are no CBOR are refused, and the agent goes on", async () => {
  const { client } = await start()
  const replies: Uint8Array[] = []
  onTestFinished(client.onReply((payload) => void replies.push(payload)))
  for (const payload of [
    Uint8Array.of(0xff, 0x00),
    new Uint8Array(0),
    Uint8Array.of(0x80),
    Uint8Array.of(0xf6),
  ])
    await client.publish(
      client.topics.call("write", { gateway: "local", device: "uno" }, client.clientId),
      payload,
    )
  await eventually(() => expect(replies).toHaveLength(4))
  expect(await call(client, "uno/call/write", write(Uint8Array.of(1)))).toHaveProperty("receipt")
})

test("a device that is not there is refused", async () => {
  const { client } = await start()
  const reply = await call(client, "nano/call/write", write(Uint8Array.of(1)))
  expect(reply).toMatchObject({ error: { code: "unknown_device" } })
})

test("a repeated id is answered again and written once", async () => {
  const { pty, client } = await start()
  const request = write(Uint8Array.of(1))
  const first = await call(client, "uno/call/write", request)
  expect(await call(client, "uno/call/write", request)).toEqual(first)
  await call(client, "uno/call/write", write(Uint8Array.of(2)))
  expect(await pty.read(2)).toEqual(Uint8Array.of(1, 2))
})

test("parts are acknowledged one by one, and the whole gets the receipt", async () => {
  const { pty, client } = await start()
  const id = randomUUID()
  const partOf = (part: number) => ({ id, by: "test", bytes: Uint8Array.of(part), part, parts: 3 })
  const acknowledge = (part: number) =>
    client.request({
      id,
      part,
      destination: client.topics.call("write", { gateway: "local", device: "uno" }, client.clientId),
      payload: encodeCall(partOf(part)),
      timeoutMs: 30_000,
    })
  expect(await acknowledge(2)).toMatchObject({ id, part: 2 })
  expect(await acknowledge(0)).toMatchObject({ id, part: 0 })
  expect(await acknowledge(2)).toMatchObject({ id, part: 2 })
  expect(await call(client, "uno/call/write", partOf(1))).toMatchObject({ receipt: { bytes: 3 } })
  expect(await pty.read(3)).toEqual(Uint8Array.of(0, 1, 2))
  // Whoever missed the receipt asks again with any part.
  expect(await call(client, "uno/call/write", partOf(0))).toMatchObject({ receipt: { bytes: 3 } })
  expect(pty.received).toBe(3)
})

test("a part that is refused refuses the whole to who waits for it", async () => {
  const { client } = await start()
  const id = randomUUID()
  const part = { id, by: "test", bytes: Uint8Array.of(1) }
  const first = client.request({
    id,
    part: 0,
    destination: client.topics.call("write", { gateway: "local", device: "uno" }, client.clientId),
    payload: encodeCall({ ...part, part: 0, parts: 3 }),
    timeoutMs: 30_000,
  })
  expect(await first).toMatchObject({ id, part: 0 })
  const whole = await call(client, "uno/call/write", { ...part, part: 1, parts: 2 })
  expect(whole).toMatchObject({ error: { code: "bad_request" } })
})

test("a call that the broker kept is not answered", async () => {
  const memory = await startBroker()
  const client = await startClient(memory)
  const destination = {
    topic: `serialcast/local/echo/call/write/${client.clientId}`,
    qos: 1,
    retain: true,
  } as const
  await client.publish(destination, encodeCall(write(Uint8Array.of(1))))
  const replies: Uint8Array[] = []
  onTestFinished(client.onReply((payload) => void replies.push(payload)))
  await startAgent(() => memory.connect(), { echo: "sim:echo" })
  await untilState(await startDeviceClient(memory), "local/echo", ({ online }) => online)
  await call(client, "echo/call/history", { id: randomUUID(), from: "now" })
  expect(replies).toEqual([])
})

test("what was written in CBOR is read in JSON", async () => {
  const { client, sendText } = await start()
  await call(client, "uno/call/write", write(Uint8Array.of(1, 2, 0xff)))
  expect(await sendText("history", '{"id":"1","stream":"tx","from":"-3"}')).toMatchObject({
    page: { records: [{ m: { kind: "started" } }, { b: "0102FF" }, { m: { kind: "drained" } }] },
  })
})

test("two clients may use the same id, for writes and for parts", async () => {
  const { pty, client, memory } = await start()
  const other = await startClient(memory)
  const request = { id: "1", by: "test" }
  await call(client, "uno/call/write", { ...request, bytes: Uint8Array.of(1) })
  await call(other, "uno/call/write", { ...request, bytes: Uint8Array.of(2) })
  expect(await pty.read(2)).toEqual(Uint8Array.of(1, 2))
  const half = (caller: BrokerClient, part: number, byte: number) =>
    caller.request({
      id: "2",
      ...(part === 0 ? { part } : {}),
      destination: caller.topics.call("write", { gateway: "local", device: "uno" }, caller.clientId),
      payload: encodeCall({ id: "2", by: "test", bytes: Uint8Array.of(byte), part, parts: 2 }),
      timeoutMs: 30_000,
    })
  await half(client, 0, 3)
  await half(other, 0, 5)
  await half(client, 1, 4)
  await half(other, 1, 6)
  expect(await pty.read(4)).toEqual(Uint8Array.of(3, 4, 5, 6))
})

test("a write that waits is answered once, however often it is asked for", async () => {
  const memory = await startBroker()
  await startAgent(() => memory.connect(), { slow: "sim:echo" })
  await untilState(await startDeviceClient(memory), "local/slow", ({ online }) => online)
  const client = await startClient(memory)
  const destination = client.topics.call("write", { gateway: "local", device: "slow" }, client.clientId)
  // It waits behind this one until all have asked, however slow the machine is: the answer about the lines comes after them.
  const before = write(new Uint8Array(60), { charDelayMs: 1_000 })
  const cut = call(client, "slow/call/write", before)
  const request = write(Uint8Array.of(1))
  for (let n = 0; n < 20; n++) await client.publish(destination, encodeCall(request))
  await call(client, "slow/call/lines", { id: randomUUID() })
  await call(client, "slow/call/cancel", { id: randomUUID(), write: before.id })
  expect(await cut).toMatchObject({ error: { code: "cancelled" } })
  const answers = () =>
    memory
      .published(`serialcast/_clients/${client.clientId}/reply`)
      .filter(({ payload }) => decodeReply(payload)?.id === request.id)
  await eventually(() => expect(answers()).toHaveLength(1))
  expect(await call(client, "slow/call/write", request)).toHaveProperty("receipt")
  // The first one may have come late, and answered the repeat as well.
  await eventually(() => expect(answers()).toHaveLength(2))
})

test("parts that came before an unplug are not written after the replug", async () => {
  const folder = await mkdtemp(join(tmpdir(), "serialcast-calls-"))
  onTestFinished(() => rm(folder, { recursive: true }))
  const path = join(folder, "port")
  await using before = await openPty()
  await symlink(before.path, path)
  const memory = await startBroker()
  await startAgent(() => memory.connect(), { uno: path })
  const states = await startDeviceClient(memory)
  await untilState(states, "local/uno", ({ online }) => online)
  const client = await startClient(memory)
  const half = (part: number) => ({ id: "a", by: "test", bytes: Uint8Array.of(part), part, parts: 2 })
  const first = client.request({
    id: "a",
    part: 0,
    destination: client.topics.call("write", { gateway: "local", device: "uno" }, client.clientId),
    payload: encodeCall(half(0)),
    timeoutMs: 30_000,
  })
  expect(await first).toMatchObject({ id: "a", part: 0 })
  await before.unplug()
  await using after = await openPty()
  await rm(path)
  await symlink(after.path, path)
  await untilState(states, "local/uno", ({ online, open }) => online && open === 2)
  expect(await call(client, "uno/call/write", half(1))).toMatchObject({ error: { code: "expired" } })
  await call(client, "uno/call/write", write(Uint8Array.of(7)))
  expect(await after.read(1)).toEqual(Uint8Array.of(7))
  expect(after.received).toBe(1)
})

test("a client that asks for many pages waits for its own, and delays others by one of them at most", async () => {
  const topics = createTopics()
  const answered: string[] = []
  const publish = async ({ topic }: { topic: string }) => void answered.push(topic.split("/")[2] ?? "")
  const log = createLogger({ name: "test", level: "silent" })
  const memory = createMemoryJournal({ clock: new FakeClock(), createEpoch: () => "00112233aabbccdd" })
  const pages: (() => void)[] = []
  const page: Journal["page"] = async (...asked) => {
    await new Promise<void>((resolve) => pages.push(resolve))
    return await memory.page(...asked)
  }
  const journal = { ...memory, page }
  const devices = { find: () => undefined, findJournal: () => journal }
  const handler = createCallHandler({ broker: { topics, publish }, log, devices })
  const ask = (client: string, id: number) => {
    const { topic } = topics.call("history", { gateway: "local", device: "uno" }, client)
    handler({ topic, payload: encodeCall({ id: `${id}`, from: "start" }), retained: false })
  }
  for (let id = 0; id < 500; id++) ask("greedy", id)
  // A repeat of one that waits does not wait too.
  for (let id = 0; id < 500; id++) ask("greedy", id)
  ask("other", 0)
  for (let over = 0; over < 501; over++) {
    expect(pages.length).toBeLessThanOrEqual(4)
    pages.shift()?.()
    await new Promise(setImmediate)
  }
  expect(answered).toHaveLength(501)
  expect(answered.indexOf("other")).toBeLessThanOrEqual(6)
})
