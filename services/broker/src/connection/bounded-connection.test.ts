import { once } from "node:events"
import { type Duplex, duplexPair } from "node:stream"
import { buffer } from "node:stream/consumers"
import { concatBytes } from "@serialcast/primitives"
import { checkCounting, countingBytes } from "@serialcast/testkit"
import { beforeEach, expect, test } from "vitest"
import { BoundedConnection } from "./bounded-connection.ts"

const maxHeldBytes = 1024 * 1024
let client: Duplex
let transport: Duplex
let connection: BoundedConnection

beforeEach(() => {
  const pair = duplexPair()
  client = pair[0]
  transport = pair[1]
  connection = new BoundedConnection(transport, { maxHeldBytes, maxPacketBytes: 1000 })
})

test("everything that a slow client is sent arrives in order, and no write ever waits", async () => {
  for (let at = 0; at < maxHeldBytes; at += 1024) {
    expect(connection.write(countingBytes(at, 1024))).toBe(true)
  }
  expect(connection.heldBytes).toBe(maxHeldBytes)
  connection.end()
  const received = await buffer(client)
  expect([received.byteLength, checkCounting(received, 0)]).toEqual([maxHeldBytes, undefined])
  expect(connection.heldBytes).toBe(0)
})

test("a client that leaves more unread than allowed is cut off, and never more than that was held", async () => {
  const cut = once(connection, "error")
  let largest = 0
  while (!connection.destroyed) {
    connection.write(new Uint8Array(1000))
    largest = Math.max(largest, connection.heldBytes)
  }
  expect((await cut)[0]).toMatchObject({ code: "slow_client" })
  expect(transport.destroyed).toBe(true)
  expect(largest).toBeLessThanOrEqual(maxHeldBytes)
  expect(largest).toBeGreaterThan(maxHeldBytes - 1000)
})

test("a single write above the limit passes when nothing is waiting", async () => {
  connection.end(countingBytes(0, 2 * maxHeldBytes))
  expect(checkCounting(await buffer(client), 0)).toBeUndefined()
})

test("the small writes of one packet leave as one", async () => {
  connection.cork()
  for (const byte of [0x30, 3, 0, 1, 65]) connection.write(Uint8Array.of(byte))
  connection.uncork()
  expect([...(await once(client, "data"))[0]]).toEqual([0x30, 3, 0, 1, 65])
})

test("a client's bytes wait in the transport while the broker does not read", async () => {
  const packets = concatBytes(
    Array.from({ length: 1000 }, () => Uint8Array.of(0x30, 100, ...new Uint8Array(100))),
  )
  const sent = new Promise((resolve) => client.end(packets, () => resolve("sent")))
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
  expect(connection.readableLength).toBeLessThan(packets.byteLength + 1)
  expect((await buffer(connection)).equals(packets)).toBe(true)
  expect(await sent).toBe("sent")
})

test("a packet above the limit ends the connection, and none of it reaches the broker", async () => {
  const refused = once(connection, "error")
  client.write(Uint8Array.of(0x30, 0xe9, 0x07, 1, 2, 3))
  expect((await refused)[0]).toMatchObject({ code: "too_large" })
  expect(connection.read()).toBeNull()
})

test("when the transport goes, so does the connection, and the other way round", async () => {
  transport.destroy()
  await once(connection, "close")
  const [, other] = duplexPair()
  new BoundedConnection(other, { maxHeldBytes, maxPacketBytes: 1000 }).destroy()
  await once(other, "close")
})
