import { type Duplex, duplexPair } from "node:stream"
import { AppError, encodeCall } from "@serialcast/contract"
import { createMemoryBroker, eventually, FakeClock, type MemoryBroker } from "@serialcast/testkit"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import type { BrokerClient } from "./client.ts"
import {
  codeOf,
  createTestClient,
  createTestLog,
  nextConnect,
  startClient,
  testTopics,
} from "./testing/test-broker.ts"

const status = testTopics.status("local")
const will = { destination: status, payload: Buffer.from("gone") }
let broker: MemoryBroker
let admitted: (username?: string, password?: string) => boolean
let clock: FakeClock
let log: ReturnType<typeof createTestLog>
/** Streams that clients opened, in order. */
let streams: Duplex[]
let client: BrokerClient

beforeEach(async () => {
  admitted = () => true
  broker = await createMemoryBroker({ admits: (...login) => admitted(...login) })
  clock = new FakeClock()
  log = createTestLog()
  streams = []
})

afterEach(async () => {
  await client.close()
  await broker[Symbol.asyncDispose]()
})

function openStream(): Duplex {
  const stream = broker.connect()
  streams.push(stream)
  return stream
}

/** Opens streams to a peer that takes everything and never says a word. */
function openSilence(): Duplex {
  const [near, far] = duplexPair()
  far.resume()
  near.once("close", () => far.destroy())
  streams.push(near)
  return near
}

/** Resolves when the last attempt is over and only the pause before the next one is left. */
async function pausing(): Promise<void> {
  await eventually(() => expect([streams.at(-1)?.closed, clock.pendingTimers]).toEqual([true, 1]))
}

/** Deterministic: every back-off is as long as it can be. */
const deps = () => ({ clock, log, random: () => 1 - Number.EPSILON })

test("after each connect the birth is out before anyone is told", async () => {
  const order: string[] = []
  const birth = async (publish: BrokerClient["publish"]) => {
    await publish(status, Buffer.from("born"))
    order.push(`born ${broker.published().length} ${client.isConnected}`)
  }
  client = createTestClient(openStream, { birth }, deps())
  client.onConnected(() => order.push(`connected ${client.isConnected}`))
  client.onDisconnected(() => order.push(`disconnected ${client.isConnected}`))
  await startClient(client)
  await broker.disconnectAll()
  await eventually(() => expect(order).toHaveLength(3))
  await clock.advanceAsync(100)
  await nextConnect(client)
  const life = (births: number) => [`born ${births} false`, "connected true"]
  expect(order).toEqual([...life(1), "disconnected false", ...life(2)])
})

test("a birth may call: replies reach it", async () => {
  const id = "barrier"
  const birth = async () => {
    await client.request({
      id,
      destination: testTopics.reply("test"),
      payload: encodeCall({ id }),
      timeoutMs: 1_000,
    })
  }
  client = createTestClient(openStream, { birth }, deps())
  await startClient(client)
})

test("a birth that fails ends the connection, says so once, and is tried again", async () => {
  let births = 0
  const birth = async () => {
    if (++births < 3) throw new AppError("gateway_name_taken", "Another agent has this name.")
  }
  client = createTestClient(openStream, { birth }, deps())
  client.start()
  await eventually(async () => {
    await clock.advanceAsync(100)
    expect(client.isConnected).toBe(true)
  })
  expect(births).toBe(3)
  expect(log.lines.map((line) => line.split(" ")[0])).toEqual(["warn", "info"])
  expect(log.lines[0]).toContain("Another agent has this name.")
})

test("the will is sent after a cut, and not after a close", async () => {
  client = createTestClient(openStream, { will }, deps())
  await startClient(client)
  await client.close()
  expect(broker.published(status.topic)).toEqual([])
  client = createTestClient(openStream, { will }, deps())
  await startClient(client)
  await broker.disconnectAll()
  await eventually(() => {
    expect(broker.published(status.topic)).toMatchObject([
      { payload: Uint8Array.from(Buffer.from("gone")), retain: true },
    ])
  })
})

test("publishing without a connection is refused at once", async () => {
  client = createTestClient(openStream, {}, deps())
  const offline = { code: "broker_offline" }
  await expect(client.publish(status, Uint8Array.of(1))).rejects.toMatchObject(offline)
  await startClient(client)
  const cut = broker.disconnectAll()
  await eventually(() => expect(client.isConnected).toBe(false))
  await expect(client.publish(status, Uint8Array.of(1))).rejects.toMatchObject(offline)
  await cut
  await client.close()
  await expect(client.publish(status, Uint8Array.of(1))).rejects.toMatchObject(offline)
  expect(broker.published()).toEqual([])
})

test("wrong credentials give one clear line and are tried again with growing pauses", async () => {
  admitted = (username, password) => username === "agent" && password === "right"
  client = createTestClient(openStream, { credentials: { username: "agent", password: "wrong" } }, deps())
  client.start()
  const pauses = [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]
  for (const [at, pauseMs] of pauses.entries()) {
    await pausing()
    await clock.advanceAsync(pauseMs - 1)
    expect(streams).toHaveLength(at + 1)
    clock.advance(1)
    await eventually(() => expect(streams).toHaveLength(at + 2))
  }
  expect(log.lines).toEqual([
    expect.stringMatching(/^warn cannot connect to the broker; trying again .*Not authorized/),
  ])
  admitted = (username, password) => username === "agent" && password === "wrong"
  await eventually(async () => {
    await clock.advanceAsync(5_000)
    expect(client.isConnected).toBe(true)
  })
  expect(log.lines).toEqual([expect.any(String), expect.stringMatching(/^info connected to the broker/)])
})

test("a connection that is cut again and again is come back to with growing pauses", async () => {
  client = createTestClient(openStream, {}, deps())
  await startClient(client)
  for (const pauseMs of [100, 200, 400]) {
    await broker.disconnectAll()
    await pausing()
    await clock.advanceAsync(pauseMs - 1)
    expect(client.isConnected).toBe(false)
    clock.advance(1)
    await nextConnect(client)
  }
  clock.advance(5_001)
  await broker.disconnectAll()
  await pausing()
  clock.advance(800)
  await nextConnect(client)
  await broker.disconnectAll()
  await pausing()
  clock.advance(200)
  await nextConnect(client)
})

test("a broker that does not answer a CONNECT is given up after 10 s", async () => {
  client = createTestClient(openSilence, {}, deps())
  client.start()
  await clock.advanceAsync(9_999)
  expect(streams.map(({ destroyed }) => destroyed)).toEqual([false])
  clock.advance(1)
  await eventually(() => expect(log.lines).toHaveLength(1))
  expect(streams.map(({ destroyed }) => destroyed)).toEqual([true])
})

test("a stream that cannot be opened is a failed attempt like any other", async () => {
  const broken = [
    () => {
      throw new Error("no such host")
    },
    () => broker.connect().destroy(),
  ]
  client = createTestClient(() => (broken.shift() ?? openStream)(), {}, deps())
  client.start()
  await eventually(async () => {
    await clock.advanceAsync(100)
    expect(client.isConnected).toBe(true)
  })
  expect(log.lines[0]).toContain("no such host")
})

test("a CONNECT asks for a clean MQTT 3.1.1 session with a keepalive of 30 s", async () => {
  const [near, far] = duplexPair()
  client = createTestClient(() => near, {}, deps())
  client.start()
  let packet = ""
  far.on("data", (bytes: Uint8Array) => {
    packet += Buffer.from(bytes).toString("latin1")
  })
  // MQTT 3.1.1 §3.1: the protocol name, its level 4, the flags (bit 1: clean session), the keepalive in seconds.
  await eventually(() => expect(packet.slice(2, 12)).toBe("\0\x04MQTT\x04\x02\0\x1e"))
})

async function closeWithoutTrace(): Promise<void> {
  await client.close()
  expect(clock.pendingTimers).toBe(0)
  expect(streams.every(({ closed }) => closed)).toBe(true)
}

describe("close", () => {
  test("refuses the calls that wait and those to come", async () => {
    client = createTestClient(openStream, {}, deps())
    await startClient(client)
    const call = { destination: status, payload: Uint8Array.of(1), timeoutMs: 60_000 }
    const code = codeOf(client.request({ ...call, id: "1" }))
    await closeWithoutTrace()
    expect(await code).toBe("broker_offline")
    await expect(client.request({ ...call, id: "2" })).rejects.toMatchObject({ code: "broker_offline" })
    expect(client.isConnected).toBe(false)
  })

  test("does not wait for a broker that does not answer the CONNECT", async () => {
    client = createTestClient(openSilence, {}, deps())
    client.start()
    await closeWithoutTrace()
    expect(log.lines).toEqual([])
  })

  test("does not wait for a birth that hangs", async () => {
    client = createTestClient(openStream, { birth: () => new Promise(() => {}) }, deps())
    client.start()
    await eventually(() => expect(clock.pendingTimers).toBe(1))
    await closeWithoutTrace()
  })

  test("does not wait for the next attempt", async () => {
    admitted = () => false
    client = createTestClient(openStream, {}, deps())
    client.start()
    await eventually(() => expect(log.lines).toHaveLength(1))
    await closeWithoutTrace()
  })

  test("cuts a broker that does not take the good-bye within 2 s", async () => {
    let isFrozen = false
    client = createTestClient(
      () => {
        const [near, far] = duplexPair()
        const inner = openStream()
        far.on("data", (bytes) => isFrozen || inner.write(bytes))
        inner.on("data", (bytes) => far.write(bytes))
        near.once("close", () => inner.destroy())
        return near
      },
      {},
      deps(),
    )
    await startClient(client)
    isFrozen = true
    const code = codeOf(client.publish(status, Uint8Array.of(1)))
    const closed = client.close()
    await clock.advanceAsync(2_000)
    await closed
    await closeWithoutTrace()
    expect(await code).toBe("broker_offline")
    expect(log.lines.at(-1)).toMatch(/^warn broker connection cut/)
  })

  test("of a client that was never started, or closed already, is nothing", async () => {
    client = createTestClient(openStream, {}, deps())
    await closeWithoutTrace()
    await closeWithoutTrace()
    client.start()
    await closeWithoutTrace()
    expect(streams).toEqual([])
  })
})
