import { toAppError } from "@serialcast/contract"
import { systemClock } from "@serialcast/primitives"
import { createMemoryBroker, eventually, FakeClock, type MemoryBroker } from "@serialcast/testkit"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { createDeviceClient, type DeviceClient } from "./device-client.ts"
import type { StreamEvent } from "./read/stream-event.ts"
import { createTestClient, createTestLog, TestAgent, testStatus } from "./testing/test-agent.ts"
import { TestReader } from "./testing/test-reader.ts"

const epoch = "00000000000000aa"
let broker: MemoryBroker
let isGranted: (filter: string) => boolean
let agent: TestAgent
let clock: FakeClock
let log: ReturnType<typeof createTestLog>
let client: DeviceClient

beforeEach(async () => {
  isGranted = () => true
  broker = await createMemoryBroker({ grants: (filter) => isGranted(filter) })
  agent = new TestAgent(createTestClient(broker, "agent"))
  await agent.start()
  clock = new FakeClock()
  log = createTestLog()
  client = await createDeviceClient(createTestClient(broker, "service", clock), { clock, log })
  await untilOnline()
})

afterEach(async () => {
  await client.close()
  await agent.close()
  await broker[Symbol.asyncDispose]()
})

class Reader extends TestReader {
  constructor(from: string, address?: string) {
    super(client, from, address)
  }
}

async function untilOnline(): Promise<void> {
  await eventually(() => expect(client.devices.get("local/uno")?.online).toBe(true))
}

async function heard(reader: Reader, text: string): Promise<void> {
  await eventually(() => expect(reader.text).toBe(text))
}

test("a reader gets what is kept and then what comes in", async () => {
  await agent.send("kept ")
  const reader = new Reader("start")
  await heard(reader, "[positioned]kept ")
  await agent.send("live")
  await heard(reader, "[positioned]kept live")
  expect(reader.events[0]).toEqual({ kind: "positioned", cursor: { epoch, offset: 0, mark: 0 } })
  expect(reader.events.at(-1)?.cursor).toEqual({ epoch, offset: 9, mark: 0 })
  expect(await reader.stop()).toBe("done")
})

test("a lost message is fetched when the next one shows the hole", async () => {
  const reader = new Reader("now")
  await heard(reader, "[positioned]")
  await agent.send("one ")
  await heard(reader, "[positioned]one ")
  await agent.send("two ", { isLost: true })
  await agent.send("three")
  await heard(reader, "[positioned]one two three")
  await reader.stop()
})

test("a lost tail is fetched after 25 s of silence, whatever comes in on the other stream", async () => {
  const reader = new Reader("now")
  await heard(reader, "[positioned]")
  await agent.send("one ")
  await heard(reader, "[positioned]one ")
  await agent.send("two", { isLost: true })
  await clock.advanceAsync(24_999)
  expect(reader.text).toBe("[positioned]one ")
  clock.advance(1)
  await heard(reader, "[positioned]one two")
  await reader.stop()
})

test("a journal of a new epoch comes behind a gap", async () => {
  await agent.send("old")
  const reader = new Reader("start")
  await heard(reader, "[positioned]old")
  agent.journal.restart("00000000000000bb")
  await agent.send("new")
  await heard(reader, "[positioned]old[gap]new")
  const gap = { from: `${epoch}-3`, to: "00000000000000bb-0", bytes: null, reason: "evicted" }
  expect(reader.events.find(({ kind }) => kind === "gap")).toMatchObject({ gap })
  await reader.stop()
})

test("a reader outlives the broker, and hears what was sent meanwhile", async () => {
  const reader = new Reader("now")
  await heard(reader, "[positioned]")
  await broker.disconnectAll()
  await eventually(() => expect(client.isConnected).toBe(false))
  await agent.send("meanwhile ", { isLost: true })
  await eventually(async () => {
    await clock.advanceAsync(100)
    expect(client.isConnected).toBe(true)
  })
  await agent.connected()
  await agent.send("after")
  // The page that the reader asks for on reconnect may have come before the agent was back.
  await eventually(async () => {
    await clock.advanceAsync(2_000)
    expect(reader.text).toBe("[positioned]meanwhile after")
  })
  await reader.stop()
})

const nowhere = { kind: "positioned", cursor: null }

test("an agent that does not answer within 1 s leaves the place open; now is then when it answers", async () => {
  await agent.send("before ")
  agent.isSilent = true
  const reader = new Reader("now")
  await eventually(() => expect(agent.historyCalls).toHaveLength(1))
  await clock.advanceAsync(999)
  expect(reader.events).toEqual([])
  clock.advance(1)
  await eventually(() => expect(reader.events).toEqual([nowhere]))
  await agent.send("meanwhile ", { isLost: true })
  agent.isSilent = false
  await clock.advanceAsync(2_000)
  const head = { epoch, offset: 17, mark: 0 }
  await eventually(() => expect(reader.events).toEqual([nowhere, { kind: "positioned", cursor: head }]))
  await agent.send("after")
  await heard(reader, "[positioned][positioned]after")
  await reader.stop()
})

test.each(["now", "start", "-3", "2030-01-01T00:00:00Z"])(
  "with the gateway away, a reading from %s opens at once and asks nobody",
  async (from) => {
    await agent.publishStatus({ online: false })
    await eventually(() => expect(client.devices.get("local/uno")?.online).toBe(false))
    const reader = new Reader(from)
    await eventually(() => expect(reader.events).toEqual([nowhere]))
    expect(agent.historyCalls).toEqual([])
    await clock.advanceAsync(1_000)
    await heard(reader, "[positioned][positioned]")
    await reader.stop()
  },
)

test("a reading of a device that is only shown opens at once, and at its cursor when it has one", async () => {
  await agent.publishState({ configured: false, epoch: "", online: false })
  await eventually(() => expect(client.devices.get("local/uno")?.configured).toBe(false))
  const [fresh, resumed] = [new Reader("now"), new Reader(`${epoch}-7`)]
  await eventually(() => expect(fresh.events).toEqual([nowhere]))
  const cursor = { epoch, offset: 7, mark: 0 }
  await eventually(() => expect(resumed.events).toEqual([{ kind: "positioned", cursor }]))
  expect(agent.historyCalls).toEqual([])
  await Promise.all([fresh.stop(), resumed.stop()])
})

test("a broker that does not answer the subscription does not hold up the first event", async () => {
  const hanging = createTestClient(broker, "hanging", clock)
  await client.close()
  const subscribe = hanging.subscribe.bind(hanging)
  hanging.subscribe = (filter, handler) =>
    filter.topic.endsWith("/stream") ? new Promise(() => {}) : subscribe(filter, handler)
  client = await createDeviceClient(hanging, { clock, log })
  await untilOnline()
  const reader = new Reader("now")
  await eventually(() => expect(clock.pendingTimers).toBe(1))
  await clock.advanceAsync(1_000)
  await eventually(() => expect(reader.events).toEqual([nowhere]))
  await reader.stop()
})

test("a reader that leaves before a refusal of its stream arrives breaks nothing", async () => {
  isGranted = (filter) => !filter.endsWith("/stream")
  await agent.publishStatus({ online: false })
  await eventually(() => expect(client.devices.get("local/uno")?.online).toBe(false))
  const leaving = new AbortController()
  for await (const event of client.device("local/uno").read({ signal: leaving.signal })) {
    expect(event).toEqual(nowhere)
    break
  }
  isGranted = () => true
  await eventually(async () => {
    const reader = new Reader(`${epoch}-0`)
    await clock.advanceAsync(1_000)
    expect(reader.text).toBe("[positioned]")
    expect(await reader.stop()).toBe("done")
  })
})

test("a thousand readers of a device share its live messages and its pages", async () => {
  await agent.send("x".repeat(25))
  const readers = Array.from({ length: 1_000 }, () => new Reader("start"))
  await eventually(() =>
    expect(new Set(readers.map(({ text }) => text))).toEqual(new Set([`[positioned]${"x".repeat(25)}`])),
  )
  // Three pages of ten records, and one that says that there is no more.
  expect(agent.historyCalls.length).toBeLessThanOrEqual(4)
  await agent.send("live")
  await eventually(() => expect(readers.every(({ text }) => text.endsWith("live"))).toBe(true))
  expect(agent.historyCalls.length).toBeLessThanOrEqual(5)
  expect(new Set(await Promise.all(readers.map((reader) => reader.stop())))).toEqual(new Set(["done"]))
})

describe("an aborted reader ends at once", () => {
  test("before it begins", async () => {
    const reader = new Reader("start")
    expect(await reader.stop()).toBe("done")
    expect(reader.events).toEqual([])
  })

  test("while it asks for its start, and while it pauses because nobody answers", async () => {
    agent.isSilent = true
    const asking = new Reader("start")
    const pausing = new Reader("-5")
    await eventually(() => expect(agent.historyCalls).toHaveLength(2))
    expect(await asking.stop()).toBe("done")
    await clock.advanceAsync(5_000)
    expect(await pausing.stop()).toBe("done")
  })

  test("while it waits for news", async () => {
    const reader = new Reader("now")
    await heard(reader, "[positioned]")
    await eventually(() => expect(clock.pendingTimers).toBe(1))
    expect(await reader.stop()).toBe("done")
    // The end of the subscription has a deadline too.
    await eventually(() => expect(clock.pendingTimers).toBe(0))
  })

  test("in the middle of a page", async () => {
    await agent.send("abcdef")
    const leaving = new AbortController()
    const events: StreamEvent[] = []
    for await (const event of client
      .device("local/uno")
      .read({ from: { kind: "start" }, signal: leaving.signal })) {
      events.push(event)
      leaving.abort()
    }
    expect(events.map(({ kind }) => kind)).toEqual(["positioned"])
  })
})

test("a device that nobody announced is unknown", async () => {
  expect(await new Reader("now", "local/due").ended).toBe("unknown_device")
  expect(await new Reader("now", "nonsense").ended).toBe("unknown_device")
})

test("a cursor that the agent refuses ends the reading as bad_cursor", async () => {
  const reader = new Reader("now")
  await heard(reader, "[positioned]")
  agent.journal.page = () => {
    throw Object.assign(toAppError(new Error("No.")), { code: "bad_cursor" })
  }
  expect(await new Reader(`${epoch}-99`).ended).toBe("bad_cursor")
  await reader.stop()
})

describe("when the agent comes back", () => {
  const restarted = { ...testStatus, instance: "2" }

  test("a reader that asked the one before is answered at once, not at its next sending", async () => {
    await agent.send("kept")
    agent.isSilent = true
    const reader = new Reader("start")
    await eventually(() => expect(agent.historyCalls).toHaveLength(1))
    agent.isSilent = false
    await agent.publishStatus(restarted)
    await heard(reader, "[positioned]kept")
    expect(agent.historyCalls[1]).toEqual(agent.historyCalls[0])
    await reader.stop()
  })

  test("a thousand readers that wait for it find their places at once, with a request for each cell", async () => {
    await agent.send("kept")
    await agent.publishStatus({ online: false })
    await eventually(() => expect(client.devices.get("local/uno")?.online).toBe(false))
    const readers = Array.from({ length: 1_000 }, (_, at) => new Reader(`${epoch}-${at % 4}`))
    await eventually(() => expect(readers.every(({ text }) => text === "[positioned]")).toBe(true))
    await agent.publishStatus(restarted)
    await eventually(() =>
      expect(readers.every(({ text }, at) => text === `[positioned]${"kept".slice(at % 4)}`)).toBe(true),
    )
    expect(agent.historyCalls.length).toBeLessThanOrEqual(4)
    await Promise.all(readers.map((reader) => reader.stop()))
  })

  test("a call to another gateway's is not sent again", async () => {
    agent.isSilent = true
    const reader = new Reader("start")
    await eventually(() => expect(agent.historyCalls).toHaveLength(1))
    await agent.publishState({ gateway: "other" })
    await agent.publishStatus(restarted, "other")
    await eventually(() => expect(client.devices.get("other/uno")?.online).toBe(true))
    expect(agent.historyCalls).toHaveLength(1)
    await reader.stop()
  })
})

test("readers that stopped reading cost a live one nothing, and miss nothing when they go on", async () => {
  const frozen = Array.from({ length: 10 }, () => {
    const leaving = new AbortController()
    const options = { from: { kind: "start" }, signal: leaving.signal } as const
    return { leaving, events: client.device("local/uno").read(options)[Symbol.asyncIterator]() }
  })
  for (const { events } of frozen) expect((await events.next()).value).toMatchObject({ kind: "positioned" })
  const live = new Reader("start")
  await heard(live, "[positioned]")
  const asked = agent.historyCalls.length
  for (let at = 0; at < 20; at++) await agent.send(`${at} `)
  const sent = Array.from({ length: 20 }, (_, at) => `${at} `).join("")
  await heard(live, `[positioned]${sent}`)
  expect(agent.historyCalls).toHaveLength(asked)
  for (const { leaving, events } of frozen) {
    let text = ""
    while (text.length < sent.length) {
      const { value } = await events.next()
      if (value?.kind === "bytes") text += Buffer.from(value.bytes).toString()
    }
    expect(text).toBe(sent)
    leaving.abort()
    expect((await events.next()).done).toBe(true)
  }
  await live.stop()
})

test("a stream that the broker refuses ends each reading as unauthorized, until it grants it", async () => {
  isGranted = (filter) => !filter.endsWith("/stream")
  const refused = await Promise.all([new Reader("now").ended, new Reader("now").ended])
  expect(refused).toEqual(["unauthorized", "unauthorized"])
  isGranted = () => true
  const reader = new Reader("now")
  await heard(reader, "[positioned]")
  await reader.stop()
})

test("a reader that comes as the last one leaves gets live messages", async () => {
  const first = new Reader("now")
  await heard(first, "[positioned]")
  const left = first.stop()
  const [second, third] = [new Reader("now"), new Reader("now")]
  await left
  await heard(second, "[positioned]")
  await third.stop()
  await agent.send("live")
  await heard(second, "[positioned]live")
  await second.stop()
  const fourth = new Reader("start")
  await heard(fourth, "[positioned]live")
  await fourth.stop()
})

test("malformed stream messages are said once and change nothing", async () => {
  const reader = new Reader("now")
  await heard(reader, "[positioned]")
  for (let count = 0; count < 3; count++) await agent.publishStream(Uint8Array.of(0xff))
  await agent.send("fine")
  await heard(reader, "[positioned]fine")
  expect(log.warnings).toEqual(["ignoring malformed stream messages"])
  await reader.stop()
  await agent.publishStream(Uint8Array.of(0xff))
  await agent.publishState({ port: "later" })
  await eventually(() => expect(client.devices.get("local/uno")?.port).toBe("later"))
  expect(log.warnings).toHaveLength(1)
})

test("when the client is ready, the states that the broker keeps are there", async () => {
  const names = Array.from({ length: 200 }, (_, at) => `d${at}`)
  for (const device of names) await agent.publishState({ device })
  await agent.publishStatus({ ...testStatus, devices: ["uno", ...names] })
  await client.close()
  client = await createDeviceClient(createTestClient(broker, "new"), { clock: systemClock, log })
  await client.whenReady(30_000)
  expect(client.devices.list()).toHaveLength(201)
})

test("whenReady fails in time when there is no broker", async () => {
  await client.close()
  client = await createDeviceClient(createTestClient(broker, "late", clock), { clock, log })
  await broker[Symbol.asyncDispose]()
  const ready = client.whenReady(5_000).catch((error: unknown) => toAppError(error).code)
  await clock.advanceAsync(5_000)
  expect(["no_reply", "broker_offline"]).toContain(await ready)
})
