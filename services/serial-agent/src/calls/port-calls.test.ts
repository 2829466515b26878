import { randomUUID } from "node:crypto"
import {
  type CallVerb,
  type DecodedReply,
  decodeReply,
  encodeCall,
  parseHistoryPage,
  parseLease,
} from "@serialcast/contract"
import { defaultSettings } from "@serialcast/ports"
import { eventually } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import {
  call,
  startAgent,
  startBroker,
  startClient,
  startDeviceClient,
  untilState,
} from "../testing/test-agent.ts"

/** Calls of a simulated device with modem lines, and every reply that comes for them. */
async function startModem() {
  const memory = await startBroker()
  await startAgent(() => memory.connect(), { modem: "sim:modem" })
  const states = await startDeviceClient(memory)
  await untilState(states, "local/modem", ({ online }) => online)
  const client = await startClient(memory)
  const ask = (verb: CallVerb, request: object) =>
    call(client, `modem/call/${verb}`, { id: randomUUID(), by: "test", ...request })
  const replies: DecodedReply[] = []
  onTestFinished(
    client.onReply((payload) => {
      const reply = decodeReply(payload)
      if (reply !== undefined) replies.push(reply)
    }),
  )
  const send = (verb: CallVerb, request: object) =>
    client.publish(
      client.topics.call(verb, { gateway: "local", device: "modem" }, client.clientId),
      encodeCall({ by: "test", ...request }),
    )
  return { memory, states, client, ask, send, replies }
}

test("a long write tells how far it is, until it is taken back", async () => {
  const { ask, send, replies } = await startModem()
  await send("write", { id: "long", bytes: new Uint8Array(4_000), charDelayMs: 50 })
  const of = (id: string) => replies.filter((reply) => reply.id === id)
  await eventually(() => expect(of("long")).not.toEqual([]))
  expect(of("long")).toMatchObject([
    { reply: { ok: true, progress: { bytes: expect.any(Number), of: 4_000 } } },
  ])
  expect(await ask("cancel", { write: "long" })).toMatchObject({ cancelled: true })
  await eventually(() => expect(of("long").at(-1)).toMatchObject({ error: { code: "cancelled" } }))
  expect(await ask("cancel", { write: "long" })).toMatchObject({ cancelled: false })
  expect(await ask("cancel", { write: "never was" })).toMatchObject({ cancelled: false })
})

test("parts of a write that is taken back are dropped, and the rest is refused", async () => {
  const { ask, send, replies } = await startModem()
  const part = (n: number) => ({ id: "w", bytes: Uint8Array.of(n), part: n, parts: 2 })
  await send("write", part(0))
  await eventually(() => expect(replies).toMatchObject([{ id: "w", part: 0 }]))
  expect(await ask("cancel", { write: "w" })).toMatchObject({ cancelled: true })
  await send("write", part(1))
  await eventually(() => expect(replies.at(-1)).toMatchObject({ id: "w", error: { code: "cancelled" } }))
})

test("while one client has the lease, only it writes and controls, and the state names it", async () => {
  const { ask, states, memory, client } = await startModem()
  const request = { id: "take", by: "ann", ttlMs: 60_000 }
  const { lease } = await ask("lease", request)
  const { token: held } = parseLease({ lease })
  // A repeat is answered the same, although a new request would be refused.
  expect(await ask("lease", request)).toMatchObject({ lease: { token: held } })
  await untilState(states, "local/modem", (state) => state.lease?.holder === "ann")
  expect(JSON.stringify(memory.published("serialcast/local/modem/state").map(String))).not.toContain(held)
  const others: [CallVerb, object][] = [
    ["write", { bytes: Uint8Array.of(1) }],
    ["configure", { settings: { baudRate: 9_600 } }],
    ["signal", { dtr: false }],
    ["purge", {}],
    ["lease", {}],
  ]
  for (const [verb, asked] of others)
    expect(await ask(verb, asked), verb).toMatchObject({ error: { code: "leased" } })
  const byTopic = client.topics.device("tx", { gateway: "local", device: "modem" })
  await client.publish(byTopic, Uint8Array.of(2))
  await eventually(async () => {
    const { page } = await ask("history", { stream: "tx", from: "start" })
    const byMqtt = { mark: { kind: "refused", by: "mqtt", code: "leased", bytes: 0 } }
    expect(parseHistoryPage({ page }).records.at(-1)).toMatchObject(byMqtt)
  })
  expect(await ask("write", { bytes: Uint8Array.of(3), lease: held })).toHaveProperty("receipt")
  expect(await ask("release", { id: "give", lease: held })).toMatchObject({ ok: true })
  expect(await ask("release", { id: "give", lease: held })).toMatchObject({ ok: true })
  expect(await ask("write", { bytes: Uint8Array.of(4), lease: held })).toMatchObject({
    error: { code: "lease_lost" },
  })
  expect(await ask("write", { bytes: Uint8Array.of(5) })).toHaveProperty("receipt")
  await untilState(states, "local/modem", (state) => state.lease === null)
})

test("settings and lines are changed and told", async () => {
  const { ask, states } = await startModem()
  const { settings } = await ask("configure", { settings: { baudRate: 9_600 } })
  expect(settings).toMatchObject({ ...defaultSettings, baudRate: 9_600 })
  const dropped = { dtr: false, dsr: false, rts: true, cts: true }
  expect(await ask("signal", { dtr: false })).toMatchObject({ lines: dropped })
  expect(await ask("lines", {})).toMatchObject({ lines: dropped })
  expect(await ask("purge", {})).toMatchObject({ ok: true })
  await untilState(
    states,
    "local/modem",
    (state) => state.settings.baudRate === 9_600 && !state.lines?.["dtr"],
  )
})

test("writes of a session go out in its order", async () => {
  const { ask, send } = await startModem()
  const place = (seq: number) => ({ id: `${seq}`, bytes: Uint8Array.of(seq), session: "s", seq })
  await send("write", place(2))
  await send("write", place(1))
  await ask("write", place(0))
  await ask("write", place(2))
  const { page } = await ask("history", { stream: "tx", from: "start" })
  const { records } = parseHistoryPage({ page })
  const bytes = records.flatMap((record) => ("bytes" in record ? [...record.bytes] : []))
  expect(bytes).toEqual([0, 1, 2])
})

test("a holder whose call arrives after its lease ran out is refused, and a repeat of its lease call gives it nothing", async () => {
  const { ask } = await startModem()
  const request = { id: "take", by: "ann", ttlMs: 100 }
  const { token } = parseLease(await ask("lease", request))
  await eventually(async () => {
    const { page } = await ask("history", { from: "start" })
    const expired = { mark: { kind: "released", holder: "ann", reason: "expired" } }
    expect(parseHistoryPage({ page }).records.at(-1)).toMatchObject(expired)
  })
  const late = { bytes: Uint8Array.of(1), lease: token }
  expect(await ask("write", late)).toMatchObject({ error: { code: "lease_lost" } })
  expect(parseLease(await ask("lease", request)).token).toBe(token)
  expect(await ask("write", late)).toMatchObject({ error: { code: "lease_lost" } })
  const { page } = await ask("history", { stream: "tx", from: "start" })
  expect(parseHistoryPage({ page }).records.filter((record) => "bytes" in record)).toEqual([])
})
