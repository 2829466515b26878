import { createTopics, decodeReply, encodeCall, maxCallBytes, maxPayloadBytes } from "@serialcast/contract"
import { createMemoryJournal } from "@serialcast/journal"
import { createLogger } from "@serialcast/service-kit"
import { eventually, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { deviceAt } from "../config.ts"
import { Devices } from "../device/devices.ts"
import { type CallServerDeps, createCallHandler } from "./call-server.ts"

/** A handler over devices of the test, and the replies that it sends. */
function handle(devices: CallServerDeps["devices"]) {
  const topics = createTopics()
  const replies: Uint8Array[] = []
  const publish = async (_destination: unknown, payload: Uint8Array) => void replies.push(payload)
  const log = createLogger({ name: "test", level: "silent" })
  const handler = createCallHandler({ broker: { topics, publish }, log, devices })
  const send = async (verb: "write" | "history", payload: Uint8Array) => {
    const { topic } = topics.call(verb, { gateway: "local", device: "uno" }, "me")
    handler({ topic, payload, retained: false })
    return await eventually(() => {
      expect(replies).toHaveLength(1)
      return replies.pop()!
    })
  }
  return { send }
}

test.each([
  ["CBOR", encodeCall({ id: "h", stream: "tx", from: "start" })],
  ["JSON", new TextEncoder().encode('{"id":"h","stream":"tx","from":"start"}')],
])("a page of the longest marks in %s fits a payload that every broker takes", async (_format, request) => {
  const journal = createMemoryJournal({ clock: new FakeClock(), createEpoch: () => "00112233aabbccdd" })
  // JSON writes each of these bytes as six.
  const [id, by] = ["\u0001".repeat(64), "\u0001".repeat(128)]
  for (let n = 0; n < 500; n++)
    journal.mark("tx", { kind: "refused", id, by, code: "device_offline", bytes: 1 })
  const { send } = handle({ find: () => undefined, findJournal: () => journal })
  const reply = await send("history", request)
  expect(reply.byteLength).toBeLessThanOrEqual(maxPayloadBytes)
  expect(reply.byteLength).toBeGreaterThan(maxPayloadBytes / 4)
})

const manyKeys = Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`Z${n.toString(36)}`, 0]))
const longText = "\u{1f600}x".repeat(40_000)
const inJson = (call: object) => new TextEncoder().encode(JSON.stringify(call))

test.each([
  ["unknown keys", { ...manyKeys, id: "i" }, "i"],
  ["a long word where a choice is wanted", { id: "i", stream: longText, from: "start" }, "i"],
  ["a long cursor", { id: "i", from: longText }, "i"],
  ["a long id", { id: longText, from: "start" }, ""],
  ["a long value of another type", { id: "i", from: [longText] }, "i"],
])("a call with %s gets a small refusal, which does not repeat it", async (_what, request, id) => {
  const journal = createMemoryJournal({ clock: new FakeClock(), createEpoch: () => "00112233aabbccdd" })
  const { send } = handle({ find: () => undefined, findJournal: () => journal })
  for (const payload of [inJson(request), encodeCall(request)]) {
    const reply = await send("history", payload)
    expect(reply.byteLength).toBeLessThan(4_096)
    const decoded = reply[0] === 0x7b ? JSON.parse(Buffer.from(reply).toString()) : decodeReply(reply)
    expect(decoded).toMatchObject({ id, error: { code: expect.stringMatching(/^bad_/) } })
  }
})

test("a call of more bytes than any has is refused undecoded", async () => {
  const { send } = handle({ find: () => undefined, findJournal: () => undefined })
  const reply = await send("write", inJson({ id: "i", text: "x".repeat(maxCallBytes) }))
  expect(JSON.parse(Buffer.from(reply).toString())).toMatchObject({ error: { code: "too_large" } })
})

test("a device that is only shown has an empty history, and takes no write", async () => {
  const broker = {
    topics: createTopics(),
    isConnected: false,
    onConnected: () => () => {},
    async publish() {},
  }
  const log = createLogger({ name: "test", level: "silent" })
  const clock = new FakeClock()
  const openJournal = async () => createMemoryJournal({ clock, createEpoch: () => "00112233aabbccdd" })
  const deps = { broker, clock, log, onChange: () => {}, identify: async () => ({}), openJournal }
  const devices = new Devices("local", deps)
  devices.show("uno", { config: deviceAt("/dev/ttyUSB0"), identity: {} })
  expect(devices.states).toMatchObject([{ epoch: "0000000000000000" }])
  const { send } = handle(devices)
  const page = decodeReply(await send("history", encodeCall({ id: "h", from: "start" })))
  const start = "0000000000000000-0"
  expect(page).toMatchObject({
    reply: { page: { gap: null, records: [], first: start, next: start, head: start } },
  })
  const refusal = decodeReply(await send("write", encodeCall({ id: "w", bytes: Uint8Array.of(1) })))
  expect(refusal).toMatchObject({ error: { code: "device_offline" } })
})
