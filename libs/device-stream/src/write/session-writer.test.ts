import type { BrokerClient } from "@serialcast/broker-client"
import { AppError, encodeErrorReply, encodeReply, toAppError, type WriteRequest } from "@serialcast/contract"
import { concatBytes } from "@serialcast/primitives"
import {
  countingBytes,
  createMemoryBroker,
  eventually,
  FakeClock,
  type MemoryBroker,
} from "@serialcast/testkit"
import { afterEach, beforeEach, expect, test } from "vitest"
import { createTestClient, TestAgent, testState } from "../testing/test-agent.ts"
import { type DeviceWriter, openSessionWriter } from "./session-writer.ts"

let broker: MemoryBroker
let agent: TestAgent
let clock: FakeClock
let client: BrokerClient
let leaving: AbortController
let writer: DeviceWriter

beforeEach(async () => {
  broker = await createMemoryBroker()
  agent = new TestAgent(createTestClient(broker, "agent"))
  await agent.start()
  clock = new FakeClock()
  client = createTestClient(broker, "service", clock)
  client.start()
  await new Promise<void>((resolve) => client.onConnected(resolve))
  leaving = new AbortController()
  const options = { by: "me", lease: "token", signal: leaving.signal }
  writer = openSessionWriter(options, { broker: client, clock, state: testState })
})

afterEach(async () => {
  await client.close()
  await agent.close()
  await broker[Symbol.asyncDispose]()
})

async function codeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => "done",
    (error: unknown) => toAppError(error).code,
  )
}

async function heardWrites(count: number): Promise<readonly WriteRequest[]> {
  await eventually(() => expect(agent.writeCalls).toHaveLength(count))
  return agent.writeCalls
}

async function answer(write: WriteRequest | undefined, error?: AppError): Promise<void> {
  const id = write!.id
  const receipt = { bytes: write!.bytes.byteLength, from: "x", to: "y", drainedUs: 1 }
  const reply =
    error === undefined ? encodeReply({ id }, { receipt }, "cbor") : encodeErrorReply({ id }, error, "cbor")
  await agent.reply("service", reply)
}

/** Resolves when the client has all that the agent replied until now. */
async function caughtUp(): Promise<void> {
  let forget = () => {}
  const heard = new Promise<void>((resolve) => {
    forget = client.onReply(() => resolve())
  })
  await agent.reply("service", encodeReply({ id: "nobody's" }, {}, "cbor"))
  await heard
  forget()
}

test("writes are calls of one session, numbered in order, split to what a call carries, and summed", async () => {
  const bytes = countingBytes(0, 150_000)
  await Promise.all([writer.write(bytes.subarray(0, 149_999)), writer.write(bytes.subarray(149_999))])
  expect(await writer.flush()).toEqual({ bytes: 150_000 })
  expect(agent.writeCalls).toMatchObject(
    [0, 1, 2, 3].map((seq) => ({
      seq,
      by: "me",
      lease: "token",
      open: 3,
      session: agent.writeCalls[0]?.session,
    })),
  )
  expect(Buffer.compare(concatBytes(agent.writeCalls.map((call) => call.bytes)), bytes)).toBe(0)
  expect(new Set(agent.writeCalls.map(({ id }) => id)).size).toBe(4)
})

test("at most 256 KiB are on their way without receipt: a write waits, and goes on as receipts come", async () => {
  agent.isSilent = true
  let isDone = false
  const written = writer.write(new Uint8Array(600_000)).then(() => {
    isDone = true
  })
  const calls = await heardWrites(4)
  for (let at = 0; at < 6; at++) {
    await clock.advanceAsync(0)
    expect(isDone).toBe(false)
    await answer(calls[at])
    await heardWrites(at + 5)
  }
  await written
  expect(agent.writeCalls).toHaveLength(10)
})

test("many small writes are bounded too", async () => {
  agent.isSilent = true
  void Promise.allSettled(Array.from({ length: 1_000 }, () => writer.write(Uint8Array.of(1))))
  const calls = await heardWrites(255)
  await answer(calls[0])
  await heardWrites(256)
})

test("the first refusal in the order of the session is what everyone gets, whichever reply comes first", async () => {
  agent.isSilent = true
  for (let at = 0; at < 3; at++) await writer.write(Uint8Array.of(at))
  const calls = await heardWrites(3)
  const flushed = codeOf(writer.flush())
  await answer(calls[2], new AppError("out_of_order", "No."))
  await answer(calls[1], new AppError("leased", "No."))
  await answer(calls[0])
  expect(await flushed).toBe("leased")
  expect(await codeOf(writer.write(Uint8Array.of(3)))).toBe("leased")
  expect(await codeOf(writer.configure({ baudRate: 9_600 }))).toBe("leased")
  expect(agent.writeCalls).toHaveLength(3)
})

test("a write that waits for room is told of the refusal", async () => {
  agent.isSilent = true
  const waiting = codeOf(writer.write(new Uint8Array(600_000)))
  const calls = await heardWrites(4)
  await answer(calls[0], new AppError("expired", "No."))
  expect(await waiting).toBe("expired")
})

test("controls take their place between the writes, and do not wait for their receipts", async () => {
  const { settings } = testState
  agent.onCall = (verb) => (verb === "configure" ? { settings } : { lines: { dtr: true } })
  agent.onWrite = ({ seq }) => {
    if (seq === 0) agent.isSilent = true
  }
  await writer.write(Uint8Array.of(1))
  await heardWrites(1)
  agent.isSilent = false
  const controls = Promise.all([writer.configure({ baudRate: 9_600 }), writer.signal({ dtr: true })])
  await writer.write(Uint8Array.of(2))
  expect(await controls).toEqual([settings, { dtr: true }])
  expect(agent.otherCalls).toMatchObject([
    { verb: "configure", request: { seq: 1, settings: { baudRate: 9_600 } } },
    { verb: "signal", request: { seq: 2, dtr: true } },
  ])
  expect((await heardWrites(2))[1]).toMatchObject({ seq: 3 })
  expect(await writer.flush()).toEqual({ bytes: 2 })
})

test("leaving takes back all that has no receipt, and tells what the agent says of it", async () => {
  agent.isSilent = true
  for (let at = 0; at < 3; at++) await writer.write(Uint8Array.of(at))
  const calls = [...(await heardWrites(3))]
  await answer(calls[0])
  agent.isSilent = false
  await caughtUp()
  leaving.abort()
  expect(await codeOf(writer.write(Uint8Array.of(9)))).toBe("cancelled")
  const cancelled = () => agent.otherCalls.map(({ verb, request }) => `${verb} ${String(request["write"])}`)
  await eventually(() => expect(cancelled()).toEqual(expect.arrayContaining([`cancel ${calls[1]?.id}`])))
  await answer(calls[1], new AppError("cancelled", "0 of 1 bytes."))
  await answer(calls[2], new AppError("out_of_order", "No."))
  await expect(writer.flush()).rejects.toMatchObject({ code: "cancelled", message: "0 of 1 bytes." })
})

test("a session of which nothing is heard for 40 s ends as no_reply; each sign of life gives it as long again", async () => {
  agent.isSilent = true
  for (let at = 0; at < 3; at++) await writer.write(Uint8Array.of(at))
  const calls = [...(await heardWrites(3))]
  const flushed = codeOf(writer.flush())
  await clock.advanceAsync(39_999)
  const progress = { progress: { bytes: 0, of: 1 } }
  await agent.reply("service", encodeReply({ id: calls[0]!.id }, progress, "cbor"))
  await caughtUp()
  await clock.advanceAsync(39_999)
  await answer(calls[0])
  await caughtUp()
  await clock.advanceAsync(39_999)
  await expect(Promise.race([flushed, Promise.resolve("waits")])).resolves.toBe("waits")
  await clock.advanceAsync(1)
  expect(await flushed).toBe("no_reply")
  expect(await codeOf(writer.write(Uint8Array.of(1)))).toBe("no_reply")
})

test("a writer that is left behind takes back its writes, each once, and leaves no timer", async () => {
  agent.isSilent = true
  await writer.write(Uint8Array.of(1))
  const [call] = await heardWrites(1)
  agent.isSilent = false
  leaving.abort()
  const disposed = writer[Symbol.asyncDispose]()
  await eventually(() =>
    expect(agent.otherCalls).toMatchObject([{ verb: "cancel", request: { write: call!.id } }]),
  )
  await answer(call, new AppError("cancelled", "No."))
  await disposed
  expect(agent.otherCalls).toHaveLength(1)
  await eventually(() => expect(clock.pendingTimers).toBe(0))
})

test("one that was flushed takes nothing back when it is disposed", async () => {
  await writer.write(Uint8Array.of(1))
  await writer.flush()
  await writer[Symbol.asyncDispose]()
  expect(agent.otherCalls).toEqual([])
  expect(clock.pendingTimers).toBe(0)
})
