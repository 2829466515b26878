import { once } from "node:events"
import type { Duplex } from "node:stream"
import { afterEach, beforeEach, expect, test } from "vitest"
import { eventually } from "./eventually.ts"
import { createMemoryBroker, type MemoryBroker } from "./memory-broker.ts"

const connack = [0x20, 2, 0, 0]
const suback = [0x90, 3, 0, 1, 0]
let broker: MemoryBroker

beforeEach(async () => {
  broker = await createMemoryBroker()
})

afterEach(() => broker[Symbol.asyncDispose]())

/** One MQTT packet: its parts are bytes, or strings with their length in front. */
function packet(type: number, ...parts: readonly (string | readonly number[])[]): Uint8Array {
  const body = parts.flatMap((part) =>
    typeof part === "string" ? [0, part.length, ...Buffer.from(part)] : part,
  )
  return Uint8Array.from([type, body.length, ...body])
}

async function receive(stream: Duplex, expected: Iterable<number>): Promise<void> {
  const received: number[] = []
  while (received.length < [...expected].length) {
    const bytes: Uint8Array | null = stream.read()
    if (bytes === null) await once(stream, "readable")
    else received.push(...bytes)
  }
  expect(received).toEqual([...expected])
}

/** A client whose will is the message "gone" on its own name. */
async function connect(name: string): Promise<Duplex> {
  const stream = broker.connect()
  stream.write(packet(0x10, "MQTT", [4, 0x06, 0, 60], name, name, "gone"))
  await receive(stream, connack)
  return stream
}

test("a message reaches a subscriber and the record of what was published", async () => {
  const subscriber = await connect("s")
  subscriber.write(packet(0x82, [0, 1], "a/+", [0]))
  await receive(subscriber, suback)
  const publisher = await connect("p")
  publisher.write(packet(0x30, "a/b", [1, 2, 255]))
  await receive(subscriber, packet(0x30, "a/b", [1, 2, 255]))
  const message = { topic: "a/b", payload: Uint8Array.of(1, 2, 255), qos: 0, retain: false }
  expect(broker.published("a/+")).toEqual([message])
  expect(broker.published("a/#")).toEqual([message])
  expect(broker.published("a/b/c")).toEqual([])
  expect(broker.published("+")).toEqual([])
})

test("disconnectAll cuts every client, fires the wills and takes new connections", async () => {
  const streams = [await connect("x"), await connect("y")]
  await broker.disconnectAll()
  expect(streams.every((stream) => stream.closed)).toBe(true)
  await eventually(() => {
    expect(broker.published().map(({ topic }) => topic)).toEqual(["x", "y"])
  })
  await connect("x")
})
