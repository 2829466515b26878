import type { BrokerClient } from "@serialcast/broker-client"
import { encodeStreamMessage } from "@serialcast/contract"
import { systemClock } from "@serialcast/primitives"
import { createMemoryBroker, eventually, type MemoryBroker } from "@serialcast/testkit"
import { afterEach, beforeEach, expect, test } from "vitest"
import { createTestClient, createTestLog, testAddress, testState, testTopics } from "../testing/test-agent.ts"
import { Feeds } from "./feed.ts"
import { Histories } from "./histories.ts"

let broker: MemoryBroker
let client: BrokerClient
let feeds: Feeds

beforeEach(async () => {
  broker = await createMemoryBroker()
  client = createTestClient(broker, "service")
  client.start()
  await new Promise<void>((resolve) => client.onConnected(resolve))
  feeds = new Feeds({
    broker: client,
    histories: new Histories(client),
    clock: systemClock,
    log: createTestLog(),
  })
})

afterEach(async () => {
  await client.close()
  await broker[Symbol.asyncDispose]()
})

async function publish(stream: "rx" | "tx"): Promise<void> {
  const record = { offset: 0, timeUs: 0, bytes: Uint8Array.of(1) }
  const message = encodeStreamMessage({ epoch: testState.epoch, stream, record })
  await client.publish(testTopics.device("stream", testAddress), message)
}

test("a feed that is given back and wanted again at once stays the same, and live", async () => {
  const feed = feeds.acquire(testAddress)
  await feed.ready
  feeds.release(testAddress)
  expect(feeds.acquire(testAddress)).toBe(feed)
  // Not before the end that the release began is over.
  await new Promise(setImmediate)
  await publish("rx")
  await eventually(() => expect(feed.live.rx.window.view).not.toBeNull())
})

test("a feed that everyone gave back is ended, also before it began: the next one is new, and live", async () => {
  const first = feeds.acquire(testAddress)
  feeds.release(testAddress)
  await first.ready
  await new Promise(setImmediate)
  const second = feeds.acquire(testAddress)
  expect(second).not.toBe(first)
  await second.ready
  await publish("rx")
  await eventually(() => expect(second.live.rx.window.view).not.toBeNull())
  expect(first.live.rx.window.view).toBeNull()
})

test("a message is news of its own stream only", async () => {
  const feed = feeds.acquire(testAddress)
  await feed.ready
  const heard: string[] = []
  const listen = async (stream: "rx" | "tx") => {
    await feed.live[stream].news.wait()
    heard.push(stream)
  }
  const [rx, tx] = [listen("rx"), listen("tx")]
  await publish("tx")
  await tx
  expect(heard).toEqual(["tx"])
  await publish("rx")
  await rx
})
