import type { BrokerClient } from "@serialcast/broker-client"
import {
  AppError,
  type DeviceState,
  encodeErrorReply,
  encodeReply,
  type Receipt,
  toAppError,
} from "@serialcast/contract"
import {
  countingBytes,
  createMemoryBroker,
  eventually,
  FakeClock,
  type MemoryBroker,
} from "@serialcast/testkit"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { createTestClient, TestAgent, testState } from "../testing/test-agent.ts"
import { type WriteOptions, writeDevice } from "./writer.ts"

let broker: MemoryBroker
let agent: TestAgent
let clock: FakeClock
let client: BrokerClient

beforeEach(async () => {
  broker = await createMemoryBroker()
  agent = new TestAgent(createTestClient(broker, "agent"))
  await agent.start()
  clock = new FakeClock()
  client = createTestClient(broker, "service", clock)
  client.start()
  await new Promise<void>((resolve) => client.onConnected(resolve))
})

afterEach(async () => {
  await client.close()
  await agent.close()
  await broker[Symbol.asyncDispose]()
})

function write(
  bytes: Uint8Array,
  options: Partial<WriteOptions> = {},
  change: Partial<DeviceState> = {},
): Promise<Receipt> {
  return writeDevice(client, { ...testState, ...change }, bytes, { by: "me", ...options })
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => "done",
    (error: unknown) => toAppError(error).code,
  )
}

test("a small write is one call, meant for this opening of the port, and its receipt is the agent's", async () => {
  const receipt = await write(Buffer.from("hi"), { id: "w", ttlMs: 500 })
  expect(agent.writeCalls).toMatchObject([{ id: "w", by: "me", ttlMs: 500, open: 3 }])
  expect(agent.writeCalls[0]).not.toHaveProperty("part")
  expect(agent.written("w")).toEqual(Uint8Array.from(Buffer.from("hi")))
  expect(receipt.bytes).toBe(2)
})

test.each([60_000, 60_001, 1_000_000, 4 * 1024 * 1024])("%i bytes arrive whole", async (size) => {
  const bytes = countingBytes(0, size)
  await write(bytes, { id: "w" })
  expect(Buffer.compare(agent.written("w") ?? new Uint8Array(0), bytes)).toBe(0)
  expect(agent.writeCalls.every((call) => call.bytes.byteLength <= 60_000)).toBe(true)
})

test("the last part is sent when all others are acknowledged", async () => {
  const parts = new Set<number>()
  agent.onWrite = ({ part = 0 }) => {
    if (part === 16) expect(parts.size).toBe(16)
    parts.add(part)
  }
  await write(new Uint8Array(1_000_000))
  expect(parts.size).toBe(17)
})

test("a part whose call or acknowledgement was lost is sent again", async () => {
  agent.isSilent = true
  const written = write(countingBytes(0, 150_000), { id: "w" })
  await eventually(() => expect(agent.writeCalls).toHaveLength(2))
  agent.isSilent = false
  clock.advance(2_000)
  await written
  expect(agent.writeCalls.map(({ part }) => part)).toEqual([0, 1, 0, 1, 2])
  expect(agent.written("w")).toEqual(countingBytes(0, 150_000))
})

test("a refused part refuses the write, and no more parts are sent", async () => {
  agent.onWrite = ({ part }) => {
    if (part === 3) throw new AppError("overloaded", "Too many unfinished writes.")
  }
  expect(await codeOf(write(new Uint8Array(4_000_000)))).toBe("overloaded")
  const sent = agent.writeCalls.length
  clock.advance(60_000)
  expect(agent.writeCalls.length).toBe(sent)
  expect(sent).toBeLessThan(20)
  expect(clock.pendingTimers).toBe(0)
})

test("a refusal of the last part refuses the write", async () => {
  agent.onWrite = ({ part }) => {
    if (part === 1) throw new AppError("too_large", "Too much.")
  }
  expect(await codeOf(write(new Uint8Array(100_000)))).toBe("too_large")
})

test("more than 4 MiB, and a device that is offline, are refused without a call", async () => {
  expect(await codeOf(write(new Uint8Array(4 * 1024 * 1024 + 1)))).toBe("too_large")
  const problem = { code: "open_failed", message: "Permission denied." }
  await expect(write(new Uint8Array(1), {}, { online: false, problem })).rejects.toMatchObject({
    code: "device_offline",
    message: "local/uno is offline. Permission denied.",
  })
  expect(agent.writeCalls).toEqual([])
})

test("the agent's refusal is thrown with its code, a code that is not known as internal", async () => {
  for (const code of ["expired", "aborted"] as const) {
    agent.onWrite = () => {
      throw new AppError(code, "Why not.")
    }
    await expect(write(new Uint8Array(1))).rejects.toMatchObject({ code, message: "Why not." })
  }
  agent.isSilent = true
  const refused = codeOf(write(new Uint8Array(1), { id: "w" }))
  const unknown = encodeErrorReply({ id: "w" }, new AppError("no_such_code" as "internal", "New."), "cbor")
  await agent.reply("service", unknown)
  expect(await refused).toBe("internal")
})

test("it waits for its turn and a grace, and as long again from each progress, then its outcome is unknown", async () => {
  agent.isSilent = true
  const told: number[] = []
  const code = codeOf(
    write(new Uint8Array(9), { id: "w", ttlMs: 1_000, onProgress: ({ bytes }) => told.push(bytes) }),
  )
  for (const bytes of [3, 6]) {
    await clock.advanceAsync(10_999)
    await agent.reply("service", encodeReply({ id: "w" }, { progress: { bytes, of: 9 } }, "cbor"))
    await eventually(() => expect(told.at(-1)).toBe(bytes))
  }
  await clock.advanceAsync(10_999)
  await expect(Promise.race([code, Promise.resolve("waits")])).resolves.toBe("waits")
  clock.advance(1)
  expect(await code).toBe("no_reply")
})

test("a write carries its lease and its pauses", async () => {
  await write(Buffer.from("hi"), { lease: "token", charDelayMs: 1, lineDelayMs: 20 })
  expect(agent.writeCalls).toMatchObject([{ lease: "token", charDelayMs: 1, lineDelayMs: 20 }])
})

describe("a write that is taken back", () => {
  const refusal = encodeErrorReply({ id: "w" }, new AppError("cancelled", "3 of 9 bytes."), "cbor")

  test("while it is written is cancelled by its id, and ends as the agent says", async () => {
    agent.isSilent = true
    const leaving = new AbortController()
    const written = write(new Uint8Array(9), { id: "w", signal: leaving.signal })
    await eventually(() => expect(agent.writeCalls).toHaveLength(1))
    leaving.abort()
    await eventually(() =>
      expect(agent.otherCalls).toMatchObject([{ verb: "cancel", request: { write: "w" } }]),
    )
    await agent.reply("service", refusal)
    await expect(written).rejects.toMatchObject({ code: "cancelled", message: "3 of 9 bytes." })
  })

  test("when it was done already has its receipt", async () => {
    const leaving = new AbortController()
    agent.onWrite = () => leaving.abort()
    expect((await write(new Uint8Array(9), { signal: leaving.signal })).bytes).toBe(9)
  })

  test("before it began is not sent", async () => {
    const written = write(new Uint8Array(9), { signal: AbortSignal.abort() })
    await expect(written).rejects.toMatchObject({ code: "cancelled" })
    expect([agent.writeCalls, agent.otherCalls]).toEqual([[], []])
  })

  test("while its parts are sent is cancelled, and no more of them are sent", async () => {
    const leaving = new AbortController()
    agent.onWrite = ({ part }) => {
      if (part === 2) leaving.abort()
    }
    const written = write(new Uint8Array(4_000_000), { id: "w", signal: leaving.signal })
    await expect(written).rejects.toMatchObject({ code: "cancelled" })
    await eventually(() =>
      expect(agent.otherCalls).toMatchObject([{ verb: "cancel", request: { write: "w" } }]),
    )
    expect(agent.writeCalls.length).toBeLessThan(20)
  })
})
