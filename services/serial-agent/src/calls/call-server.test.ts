import { randomUUID } from "node:crypto"
import type { BrokerClient } from "@serialcast/broker-client"
import { encodeCall, maxChunkBytes, maxPayloadBytes } from "@serialcast/contract"
import { countingBytes, eventually, type MemoryBroker, openPty, type PtyDevice } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { call, startAgent, startBroker, startClient, startDeviceClient, untilState } from "../test-agent.ts"

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
      timeoutMs: 5_000,
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
    timeoutMs: 5_000,
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
