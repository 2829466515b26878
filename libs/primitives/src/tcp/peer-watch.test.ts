import { once } from "node:events"
import { connect } from "node:net"
import { FakeClock } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { createPeerWatch } from "./peer-watch.ts"
import { endsOf } from "./tcp-table.ts"
import { listen } from "./testing/listen.ts"

/** A watched socket, and a system that answers as the test says. */
async function watchOne() {
  const { port, accepted } = await listen("127.0.0.1")
  const client = connect({ host: "127.0.0.1", port }).resume()
  onTestFinished(() => void client.destroy())
  const socket = await accepted
  const clock = new FakeClock()
  const system = { unanswered: undefined as number | null | undefined, reads: 0 }
  const told = { vanished: 0 }
  const ends = endsOf(socket)!
  const watch = createPeerWatch({
    clock,
    async readUnanswered() {
      system.reads += 1
      const { unanswered } = system
      if (unanswered === null) return null
      return new Map(unanswered === undefined ? [] : [[ends, unanswered]])
    },
  })
  watch.watch(socket, () => {
    told.vanished += 1
  })
  /** The system answers so for this time. */
  const pass = async (ms: number, unanswered: number | null | undefined) => {
    system.unanswered = unanswered
    await clock.advanceAsync(ms)
  }
  return { socket, clock, system, told, pass }
}

test("a peer that acknowledges nothing for 15 s has vanished, which is told once", async () => {
  const { socket, told, pass } = await watchOne()
  socket.write("x")
  await pass(3_000, 1)
  await pass(3_000, 4)
  await pass(9_000, 5)
  expect(told.vanished).toBe(0)
  await pass(3_000, 5)
  expect(told.vanished).toBe(1)
  await pass(60_000, 9)
  expect(told.vanished).toBe(1)
})

test("one that says something at times stays, whatever is lost on the way", async () => {
  const { socket, told, pass } = await watchOne()
  for (let round = 0; round < 20; round++) {
    socket.write("x")
    await pass(12_000, 5)
    await pass(3_000, round % 2 === 0 ? 4 : undefined)
  }
  expect(told.vanished).toBe(0)
})

test("one that has bytes on their way and owes no answer stays: it does not read, or only one was lost", async () => {
  const { socket, told, pass } = await watchOne()
  socket.write("x")
  await pass(600_000, 0)
  await pass(600_000, 1)
  expect(told.vanished).toBe(0)
})

test("the system is asked only while something may be on its way", async () => {
  const { socket, system, pass } = await watchOne()
  await pass(60_000, undefined)
  expect(system.reads).toBe(0)
  socket.write("x")
  await pass(60_000, undefined)
  expect(system.reads).toBe(1)
  socket.write("y")
  await pass(3_000, 0)
  await pass(3_000, 0)
  expect(system.reads).toBe(3)
})

test("a system that does not tell is asked no more", async () => {
  const { socket, clock, system, told, pass } = await watchOne()
  socket.write("x")
  await pass(60_000, null)
  expect([system.reads, told.vanished, clock.pendingTimers]).toEqual([1, 0, 0])
})

test("a socket that is closed is watched no more, and leaves no timer", async () => {
  const { socket, clock, told, pass } = await watchOne()
  socket.write("x")
  await pass(15_000, 3)
  socket.destroy()
  await once(socket, "close")
  expect(clock.pendingTimers).toBe(0)
  await pass(60_000, 5)
  expect(told.vanished).toBe(0)
})
