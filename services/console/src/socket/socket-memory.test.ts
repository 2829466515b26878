import { ByteBudget } from "@serialcast/primitives"
import { expect, test } from "vitest"
import { SocketMemory } from "./socket-memory.ts"

function start(totalBytes = 10_000_000) {
  const budget = new ByteBudget({ totalBytes, freeBytes: 0 })
  let isFull = false
  const memory = new SocketMemory(budget.open("a"), () => (isFull = true))
  return { memory, held: () => budget.heldBytes, isFull: () => isFull }
}

test("a message costs what came of it until it is whole, and writes until they are done", () => {
  const { memory, held } = start()
  memory.read(1_000)
  memory.read(500)
  expect(held()).toBe(1_500)
  memory.tookMessage()
  memory.waits(1_400)
  expect(held()).toBe(1_400)
  memory.waits(0)
  expect(held()).toBe(0)
})

test("pings cost nothing, however many come before a message", () => {
  const { memory, held } = start()
  for (let ping = 0; ping < 10_000; ping++) {
    memory.read(131)
    memory.tookControl(125)
  }
  expect(held()).toBe(0)
  memory.read(1_000)
  expect(held()).toBe(1_000)
})

test("pings between the pieces of a message cost what their reads hold", () => {
  const { memory, held } = start()
  for (let piece = 0; piece < 100; piece++) {
    // One byte of the message, and pings for the rest of what the network gave at once.
    memory.read(65_536)
    for (let ping = 0; ping < 500; ping++) memory.tookControl(125)
    memory.tookControl(65_536 - 7 - 500 * 131 - 6)
  }
  expect(held()).toBeGreaterThan(4_000_000)
})

test("what there is no room for is told", () => {
  const { memory, isFull } = start(2_000)
  memory.read(1_000)
  expect(isFull()).toBe(false)
  memory.read(1_000)
  expect(isFull()).toBe(true)
})
