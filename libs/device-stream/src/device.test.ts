import {
  configureRequestSchema,
  leaseRequestSchema,
  linesRequestSchema,
  parseStartPoint,
  purgeRequestSchema,
  releaseRequestSchema,
  signalRequestSchema,
  toAppError,
} from "@serialcast/contract"
import { createMemoryBroker, eventually, FakeClock, type MemoryBroker } from "@serialcast/testkit"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { createDeviceClient, type DeviceClient } from "./device-client.ts"
import { createTestClient, createTestLog, TestAgent, testState } from "./testing/test-agent.ts"

let broker: MemoryBroker
let isGranted: (filter: string) => boolean
let agent: TestAgent
let clock: FakeClock
let client: DeviceClient

beforeEach(async () => {
  isGranted = () => true
  broker = await createMemoryBroker({ grants: (filter) => isGranted(filter) })
  agent = new TestAgent(createTestClient(broker, "agent"))
  await agent.start()
  clock = new FakeClock()
  const log = createTestLog()
  client = await createDeviceClient(createTestClient(broker, "service", clock), { clock, log })
  await untilOnline(true)
})

afterEach(async () => {
  await client.close()
  await agent.close()
  await broker[Symbol.asyncDispose]()
})

async function untilOnline(isOnline: boolean): Promise<void> {
  await eventually(() => expect(client.devices.get("local/uno")?.online).toBe(isOnline))
}

describe("what is kept", () => {
  const read = async (from: string, address = "local/uno") => {
    const options = { from: parseStartPoint(from), signal: new AbortController().signal }
    let text = ""
    for await (const event of client.device(address).history(options))
      if (event.kind === "bytes") text += Buffer.from(event.bytes).toString()
    return text
  }

  test("is read to the head and ends there, without the live stream", async () => {
    isGranted = (filter) => !filter.endsWith("/stream")
    await agent.send("one two")
    expect(await read("start")).toBe("one two")
    expect(await read("-3")).toBe("two")
  })

  test("cannot be read while the agent is away, nor of a device that nobody announced", async () => {
    await agent.publishStatus({ online: false })
    await untilOnline(false)
    await expect(read("start")).rejects.toMatchObject({ code: "device_offline" })
    await expect(read("start", "local/due")).rejects.toMatchObject({ code: "unknown_device" })
  })

  test("is told as no_reply when nobody answers for 5 s", async () => {
    agent.isSilent = true
    const code = read("start").catch((error: unknown) => toAppError(error).code)
    await eventually(() => expect(agent.historyCalls).toHaveLength(1))
    await clock.advanceAsync(5_000)
    expect(await code).toBe("no_reply")
  })
})

describe("controls and leases", () => {
  const { settings } = testState
  const device = () => client.device("local/uno")

  test("are calls with what was asked, and answer what the agent does", async () => {
    const lease = { token: "t", holder: "me", ttlMs: 1_000 }
    agent.onCall = (verb) =>
      ({ configure: { settings }, lease: { lease } })[verb] ?? {
        lines: verb === "lines" ? null : { dtr: true },
      }
    expect(await device().configure({ baudRate: 9_600 }, { by: "me", lease: "t" })).toEqual(settings)
    expect(await device().signal({ dtr: true }, { by: "me", now: true })).toEqual({ dtr: true })
    expect(await device().signal({ macro: "D0|W0.1|D1" }, { by: "me" })).toEqual({ dtr: true })
    expect(await device().lines({ by: "me" })).toBeNull()
    await device().purge({ by: "me", lease: "t" })
    expect(await device().lease({ by: "me", ttlMs: 1_000, fence: "t" })).toEqual(lease)
    await device().release({ by: "me", fence: "t" })
    expect(agent.otherCalls).toMatchObject([
      { verb: "configure", request: { by: "me", lease: "t", settings: { baudRate: 9_600 } } },
      { verb: "signal", request: { by: "me", now: true, dtr: true, open: 3 } },
      { verb: "signal", request: { by: "me", macro: "D0|W0.1|D1" } },
      { verb: "lines", request: { by: "me" } },
      { verb: "purge", request: { by: "me", lease: "t" } },
      { verb: "lease", request: { by: "me", ttlMs: 1_000, lease: "t", steal: false } },
      { verb: "release", request: { by: "me", lease: "t" } },
    ])
    const schemas = {
      configure: configureRequestSchema,
      signal: signalRequestSchema,
      lines: linesRequestSchema,
      purge: purgeRequestSchema,
      lease: leaseRequestSchema,
      release: releaseRequestSchema,
    }
    for (const { verb, request } of agent.otherCalls)
      expect(schemas[verb as keyof typeof schemas].safeParse(request).error).toBeUndefined()
  })

  test("a lease that is acquired is renewed under its fence without stealing, and given back", async () => {
    agent.onCall = () => ({ lease: { token: "t", holder: "me", ttlMs: 30_000 } })
    const outcome = () => "failed" as const
    const lease = await device().acquireLease({ by: "me", ttlMs: 30_000, steal: true, outcome })
    await clock.advanceAsync(10_000)
    await eventually(() => expect(agent.otherCalls).toHaveLength(2))
    await lease.release()
    expect(agent.otherCalls).toMatchObject([
      { verb: "lease", request: { steal: true } },
      { verb: "lease", request: { lease: "t", steal: false } },
      { verb: "release", request: { lease: "t", outcome: "failed" } },
    ])
    expect([lease.fence, lease.holder, lease.lost.aborted]).toEqual(["t", "me", false])
  })

  test("are refused at once while the agent is away, and writers while the device is offline", async () => {
    await agent.publishState({ online: false })
    await untilOnline(false)
    const options = { by: "me", signal: new AbortController().signal }
    expect(() => device().openWriter(options)).toThrow(expect.objectContaining({ code: "device_offline" }))
    agent.onCall = () => ({ settings })
    expect(await device().configure({}, { by: "me" })).toEqual(settings)
    await agent.publishStatus({ online: false })
    await eventually(() => expect(client.devices.get("local/uno")?.problem?.message).toMatch("agent"))
    await expect(device().configure({}, { by: "me" })).rejects.toMatchObject({ code: "device_offline" })
    expect(() => client.device("local/due").openWriter(options)).toThrow(
      expect.objectContaining({ code: "unknown_device" }),
    )
  })
})
