import { expect, test } from "vitest"
import { createUartMemory, Ring } from "./ring.ts"

test("what does not fit is dropped and counted, and room that was made is used, round and round", () => {
  const ring = new Ring(createUartMemory(5, 0))
  for (let round = 0; round < 10; round++) {
    for (let byte = 0; byte < 7; byte++) ring.put(byte)
    expect(ring.unread).toBe(5)
    expect(Array.from({ length: 6 }, () => ring.take())).toEqual([0, 1, 2, 3, 4, undefined])
    ring.put(9)
    expect(ring.take()).toBe(9)
  }
  expect(ring.dropped).toBe(20)
})

test("both sides see the same memory, and what may be sent", () => {
  const memory = createUartMemory(8, 100)
  const [one, other] = [new Ring(memory), new Ring(memory)]
  one.put(7)
  one.allow(-30)
  expect([other.take(), other.sendable, one.unread]).toEqual([7, 70, 0])
})

test("a wait ends at its time, or at once when there is nothing to wait for", () => {
  const ring = new Ring(createUartMemory(8, 0))
  ring.wait(() => true)
  ring.wait(() => false, 5)
})
