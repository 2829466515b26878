import { type Duplex, duplexPair } from "node:stream"
import { systemClock } from "@serialcast/primitives"
import { createMemoryBroker, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { openConnection } from "./open-connection.ts"
import { codeOf, testTopics } from "./testing/test-broker.ts"

test("what comes when a connection is over is refused at once: the MQTT client would keep it for ever", async () => {
  await using broker = await createMemoryBroker()
  const openStream = () => broker.connect()
  const connection = openConnection(
    { clientId: "test", topics: testTopics, openStream, credentials: null },
    { clock: systemClock, onMessage: () => {} },
  )
  await connection.connected
  const destination = testTopics.status("local")
  const caught = codeOf(connection.publish(destination, Uint8Array.of(1)))
  connection.cut()
  await connection.ended
  expect(await caught).toBe("broker_offline")
  expect(await codeOf(connection.publish(destination, Uint8Array.of(1)))).toBe("broker_offline")
  expect(await codeOf(connection.subscribe([destination]))).toBe("broker_offline")
})

test("a broker that does not answer a SUBSCRIBE within 10 s is cut: later subscriptions wait for it", async () => {
  await using broker = await createMemoryBroker()
  const clock = new FakeClock()
  // Packet types are the upper half of a packet's first byte: 9 is SUBACK (MQTT 3.1.1 §2.2.1).
  const connection = openConnection(
    {
      clientId: "test",
      topics: testTopics,
      openStream: () => without(broker.connect(), 9),
      credentials: null,
    },
    { clock, onMessage: () => {} },
  )
  await connection.connected
  const codes = [testTopics.status("a"), testTopics.status("b")].map((filter) =>
    codeOf(connection.subscribe([filter])),
  )
  await clock.advanceAsync(9_999)
  expect([connection.isOver, clock.pendingTimers]).toEqual([false, 1])
  clock.advance(1)
  expect(await connection.ended).toBe("the broker did not answer a subscription within 10 s")
  expect(await Promise.all(codes)).toEqual(["broker_offline", "broker_offline"])
  expect(clock.pendingTimers).toBe(0)
})

test("a broker that does not answer an UNSUBSCRIBE is cut too, and one that answers is not", async () => {
  await using broker = await createMemoryBroker()
  const clock = new FakeClock()
  const connection = openConnection(
    {
      clientId: "test",
      topics: testTopics,
      openStream: () => without(broker.connect(), 11),
      credentials: null,
    },
    { clock, onMessage: () => {} },
  )
  await connection.connected
  const filter = testTopics.status("local")
  await connection.subscribe([filter])
  await clock.advanceAsync(60_000)
  expect(connection.isOver).toBe(false)
  connection.unsubscribe(filter)
  const later = codeOf(connection.subscribe([filter]))
  await clock.advanceAsync(10_000)
  expect(await connection.ended).toContain("within 10 s")
  expect(await later).toBe("broker_offline")
})

/** `inner`, from which packets of `type` do not arrive. The broker may write a packet in pieces. */
function without(inner: Duplex, type: number): Duplex {
  const [near, far] = duplexPair()
  far.on("data", (bytes) => inner.write(bytes))
  let received = new Uint8Array(0)
  inner.on("data", (bytes: Uint8Array) => {
    received = Uint8Array.from([...received, ...bytes])
    for (;;) {
      // Below 128 bytes, the remaining length is the second byte (MQTT 3.1.1 §2.2.3).
      const [first = 0, remaining = 0] = received
      if (received.byteLength < 2 || received.byteLength < 2 + remaining) return
      if (first >> 4 !== type) far.write(received.slice(0, 2 + remaining))
      received = received.slice(2 + remaining)
    }
  })
  near.once("close", () => inner.destroy())
  return near
}
