import { expect, test } from "vitest"
import { PortRecord } from "../testing/port-record.ts"
import { HeldListener } from "./held-listener.ts"

test("what comes while a port opens is passed on in order, after whoever opened it went on", async () => {
  const heard = new PortRecord()
  const held = new HeldListener(heard)
  held.onBytes(Uint8Array.of(1))
  held.opened()
  held.onBytes(Uint8Array.of(2))
  await Promise.resolve()
  expect(heard.chunks).toEqual([])
  await new Promise(setImmediate)
  held.onBytes(Uint8Array.of(3))
  expect(heard.bytes).toEqual(Uint8Array.of(1, 2, 3))
})

test("a port that ends at once is heard whole, and its end once", async () => {
  const heard = new PortRecord()
  const held = new HeldListener(heard)
  held.onBytes(Uint8Array.of(1))
  held.opened()
  held.onClosed({ reason: "gone" })
  expect([heard.bytes, heard.closes]).toEqual([Uint8Array.of(1), [{ reason: "gone" }]])
  await new Promise(setImmediate)
  expect(heard.chunks).toHaveLength(1)
})

test("of a port that is never opened nothing is heard", async () => {
  const heard = new PortRecord()
  const held = new HeldListener(heard)
  held.onBytes(Uint8Array.of(1))
  held.onClosed({ reason: "gone" })
  await new Promise(setImmediate)
  expect([heard.chunks, heard.closes]).toEqual([[], []])
})

test("more than it keeps is dropped, and told as an overrun after what was kept", async () => {
  const told: string[] = []
  const held = new HeldListener({
    onBytes: (bytes) => told.push(`${bytes.byteLength} bytes`),
    onOverrun: () => told.push("overrun"),
    onClosed() {},
  })
  for (let n = 0; n < 3; n++) held.onBytes(new Uint8Array(1024 * 1024))
  held.onBytes(new Uint8Array(2 * 1024 * 1024))
  // It would fit, but stand where the dropped bytes were.
  held.onBytes(Uint8Array.of(1))
  held.opened()
  await new Promise(setImmediate)
  held.onBytes(Uint8Array.of(1, 2))
  expect(told).toEqual([...Array(3).fill("1048576 bytes"), "overrun", "2 bytes"])
})

test("an overrun is told where it happened", async () => {
  const told: string[] = []
  const held = new HeldListener({
    onBytes: (bytes) => told.push(`${bytes.byteLength} bytes`),
    onOverrun: () => told.push("overrun"),
    onClosed() {},
  })
  held.onBytes(Uint8Array.of(1))
  held.onOverrun()
  held.onBytes(Uint8Array.of(2, 3))
  held.opened()
  await new Promise(setImmediate)
  expect(told).toEqual(["1 bytes", "overrun", "2 bytes"])
})
