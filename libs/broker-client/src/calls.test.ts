import type { Duplex } from "node:stream"
import { AppError, type DecodedReply, encodeCall, encodeErrorReply, encodeReply } from "@serialcast/contract"
import { encodeHex } from "@serialcast/primitives"
import { createMemoryBroker, eventually, FakeClock, type MemoryBroker } from "@serialcast/testkit"
import { afterEach, beforeEach, expect, test } from "vitest"
import { PendingCalls } from "./calls.ts"
import type { BrokerClient, CallOptions } from "./client.ts"
import { codeOf, createTestClient, startClient, testTopics } from "./testing/test-broker.ts"

const destination = testTopics.call("write", { gateway: "local", device: "uno" }, "caller")
const reply = testTopics.reply("caller")
const anyCall: CallOptions = { id: "1", destination, payload: Uint8Array.of(1), timeoutMs: 5_000 }
let clock: FakeClock
let broker: MemoryBroker
let caller: BrokerClient
let agent: BrokerClient
/** Streams that the caller opened, in order. */
let streams: Duplex[]
/** Payloads of the calls that reached the agent. */
let calls: Uint8Array[]

beforeEach(async () => {
  clock = new FakeClock()
  broker = await createMemoryBroker()
  streams = []
  const openStream = () => {
    const stream = broker.connect()
    streams.push(stream)
    return stream
  }
  caller = createTestClient(openStream, { clientId: "caller" }, { clock })
  agent = await startClient(createTestClient(() => broker.connect(), { clientId: "agent" }))
  calls = []
  await agent.subscribe(testTopics.filter("call"), ({ payload }) => calls.push(payload))
})

afterEach(async () => {
  await Promise.all([caller.close(), agent.close()])
  await broker[Symbol.asyncDispose]()
})

function request(options: Partial<CallOptions> = {}): Promise<DecodedReply> {
  const id = options.id ?? "1"
  return caller.request({ id, destination, payload: encodeCall({ id }), timeoutMs: 5_000, ...options })
}

async function heardCalls(count: number): Promise<void> {
  await eventually(() => expect(calls).toHaveLength(count))
}

test("each reply goes to the call with its id and part", async () => {
  await startClient(caller)
  const replies = Promise.all([request({ id: "a" }), request({ id: "b" }), request({ id: "b", part: 1 })])
  await heardCalls(3)
  await agent.publish(reply, encodeReply({ id: "b", part: 1 }, { n: 3 }, "cbor"))
  await agent.publish(reply, encodeReply({ id: "b" }, { n: 2 }, "cbor"))
  await agent.publish(reply, encodeReply({ id: "a" }, { n: 1 }, "cbor"))
  expect(await replies).toMatchObject([
    { reply: { n: 1 } },
    { reply: { n: 2 } },
    { part: 1, reply: { n: 3 } },
  ])
})

test("what no call waits for goes to the reply listeners, until they end", async () => {
  await startClient(caller)
  const heard: Uint8Array[] = []
  const forget = caller.onReply((payload) => heard.push(payload))
  const answered = request()
  await agent.publish(reply, encodeReply({ id: "1" }, {}, "cbor"))
  await answered
  await agent.publish(reply, encodeReply({ id: "_discover" }, {}, "cbor"))
  await agent.publish(reply, Uint8Array.of(0xff))
  await eventually(() => expect(heard).toHaveLength(2))
  const discovered = encodeReply({ id: "_discover" }, {}, "cbor")
  expect(heard.map(encodeHex)).toEqual([encodeHex(discovered), "FF"])
  forget()
  await agent.publish(reply, encodeReply({ id: "late" }, {}, "cbor"))
  const after = request()
  await agent.publish(reply, encodeReply({ id: "1" }, {}, "cbor"))
  await after
  expect(heard).toHaveLength(2)
})

test("a refused part refuses the call as a whole when nobody waits for the part", async () => {
  await startClient(caller)
  const whole = request()
  await heardCalls(1)
  await agent.publish(reply, encodeErrorReply({ id: "1", part: 7 }, new AppError("too_large", "No."), "cbor"))
  expect(await whole).toMatchObject({ error: { code: "too_large" } })
})

test("an acknowledged part does not answer the call as a whole", async () => {
  await startClient(caller)
  const whole = request()
  await heardCalls(1)
  await agent.publish(reply, encodeReply({ id: "1", part: 7 }, {}, "cbor"))
  await agent.publish(reply, encodeReply({ id: "1" }, { receipt: 1 }, "cbor"))
  expect(await whole).toMatchObject({ reply: { receipt: 1 } })
})

test("a call whose delivery or reply was lost is sent again as it was, after 2, 4, 8, 16 and then every 30 s", async () => {
  await startClient(caller)
  const answer = request({ timeoutMs: 600_000 })
  await heardCalls(1)
  for (const [at, pauseMs] of [2_000, 4_000, 8_000, 16_000, 30_000, 30_000].entries()) {
    clock.advance(pauseMs - 1)
    expect(broker.published(destination.topic)).toHaveLength(at + 1)
    clock.advance(1)
    await heardCalls(at + 2)
  }
  expect(new Set(calls.map(String)).size).toBe(1)
  await agent.publish(reply, encodeReply({ id: "1" }, {}, "cbor"))
  await answer
  const timers = clock.pendingTimers
  clock.advance(60_000)
  expect([calls.length, timers]).toEqual([7, 0])
})

test("after a reconnect a call is sent at once, and its pauses start anew", async () => {
  await startClient(caller)
  const answer = request({ timeoutMs: 600_000 })
  await heardCalls(1)
  for (const pauseMs of [2_000, 4_000]) clock.advance(pauseMs)
  await heardCalls(3)
  streams.at(-1)?.destroy()
  await eventually(async () => {
    await clock.advanceAsync(100)
    expect(caller.isConnected).toBe(true)
  })
  await heardCalls(4)
  await clock.advanceAsync(1_999)
  expect(calls).toHaveLength(4)
  clock.advance(1)
  await heardCalls(5)
  await agent.publish(reply, encodeReply({ id: "1" }, {}, "cbor"))
  await answer
})

test("a call whose every sending was refused ends with the refusal, one that was sent once as no_reply", async () => {
  const full = () => Promise.reject(new AppError("overloaded", "full"))
  const connections: Record<string, () => Promise<void> | undefined> = {
    overloaded: full,
    no_reply: () => Promise.resolve(),
    broker_offline: () => undefined,
  }
  for (const [code, send] of Object.entries(connections)) {
    const ending = codeOf(new PendingCalls(clock, send).request(anyCall))
    await clock.advanceAsync(5_000)
    expect(await ending).toBe(code)
  }
  let sends = 0
  const fullAfterOne = () => (++sends === 1 ? Promise.resolve() : full())
  const ending = codeOf(new PendingCalls(clock, fullAfterOne).request(anyCall))
  await clock.advanceAsync(5_000)
  expect([await ending, sends]).toEqual(["no_reply", 2])
})

test("while the connection is full, a call is tried again every 2 s", async () => {
  let sends = 0
  const send = () => {
    sends++
    return Promise.reject(new AppError("overloaded", "full"))
  }
  const ending = codeOf(new PendingCalls(clock, send).request({ ...anyCall, timeoutMs: 10_001 }))
  await clock.advanceAsync(10_001)
  expect([await ending, sends]).toEqual(["overloaded", 6])
})

test("a call made while there is no connection is sent as soon as there is one", async () => {
  const answer = request()
  await startClient(caller)
  await heardCalls(1)
  await agent.publish(reply, encodeReply({ id: "1" }, {}, "cbor"))
  await answer
})

test("a call that nobody answers ends as no_reply at its deadline, not before", async () => {
  await startClient(caller)
  let isOver = false
  const answer = request().finally(() => {
    isOver = true
  })
  const code = codeOf(answer)
  await clock.advanceAsync(4_999)
  expect(isOver).toBe(false)
  clock.advance(1)
  expect(await code).toBe("no_reply")
  expect(clock.pendingTimers).toBe(0)
})

test("a call that was never sent ends as broker_offline: its outcome is known", async () => {
  const code = codeOf(request())
  await clock.advanceAsync(5_000)
  expect(await code).toBe("broker_offline")
})

test("an aborted signal ends a call at once, before it and during it", async () => {
  await startClient(caller)
  await expect(request({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "aborted" })
  const leaving = new AbortController()
  const answer = request({ signal: leaving.signal })
  leaving.abort()
  await expect(answer).rejects.toMatchObject({ code: "aborted" })
  await heardCalls(1)
  expect(clock.pendingTimers).toBe(0)
})

test("an id that waits for its reply already is refused", async () => {
  const first = codeOf(request())
  await expect(request()).rejects.toThrow(RangeError)
  await caller.close()
  expect(await first).toBe("broker_offline")
})

test("more than 4,096 waiting calls are refused as overloaded", async () => {
  const waiting = Promise.allSettled(Array.from({ length: 4_096 }, (_, at) => request({ id: `${at}` })))
  await expect(request({ id: "more" })).rejects.toMatchObject({ code: "overloaded" })
  await caller.close()
  expect(new Set((await waiting).map(({ status }) => status))).toEqual(new Set(["rejected"]))
})

const progress = (bytes: number) => encodeReply({ id: "1" }, { progress: { bytes, of: 9 } }, "cbor")

test("progress answers nothing, is told, and gives a call its whole time anew", async () => {
  await startClient(caller)
  const told: number[] = []
  let isOver = false
  const code = codeOf(request({ onProgress: ({ bytes }) => told.push(bytes) })).finally(() => {
    isOver = true
  })
  for (const bytes of [1, 2, 3]) {
    await clock.advanceAsync(4_999)
    await agent.publish(reply, progress(bytes))
    await eventually(() => expect(told.at(-1)).toBe(bytes))
  }
  await clock.advanceAsync(4_999)
  expect(isOver).toBe(false)
  clock.advance(1)
  expect([await code, told]).toEqual(["no_reply", [1, 2, 3]])
  expect(clock.pendingTimers).toBe(0)
})

test("a call whose progress is told is not sent again, and soon is when nothing more is told", async () => {
  await startClient(caller)
  const told: number[] = []
  const answer = request({ timeoutMs: 60_000, onProgress: ({ bytes }) => told.push(bytes) })
  await heardCalls(1)
  for (let second = 1; second <= 10; second++) {
    await clock.advanceAsync(1_000)
    await agent.publish(reply, progress(second))
    await eventually(() => expect(told).toHaveLength(second))
  }
  expect(calls).toHaveLength(1)
  clock.advance(2_000)
  await heardCalls(2)
  await agent.publish(reply, encodeReply({ id: "1" }, {}, "cbor"))
  await answer
})

test("calls to whoever came back are sent again at once, the others are not, and their pauses start anew", async () => {
  await startClient(caller)
  const other = testTopics.call("write", { gateway: "local", device: "due" }, "caller")
  const answers = Promise.all([
    request({ timeoutMs: 60_000 }),
    request({ id: "2", destination: other, timeoutMs: 60_000 }),
  ])
  await heardCalls(2)
  clock.advance(2_000)
  await heardCalls(4)
  caller.sendAgain(({ topic }) => topic === other.topic)
  await heardCalls(5)
  expect(encodeHex(calls.at(-1)!)).toBe(encodeHex(encodeCall({ id: "2" })))
  await clock.advanceAsync(1_999)
  expect(calls).toHaveLength(5)
  clock.advance(1)
  await heardCalls(6)
  await agent.publish(reply, encodeReply({ id: "1" }, {}, "cbor"))
  await agent.publish(reply, encodeReply({ id: "2" }, {}, "cbor"))
  await answers
})
