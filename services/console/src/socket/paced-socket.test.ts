import { EventEmitter } from "node:events"
import { LoopTurns } from "@serialcast/primitives"
import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import type { WebSocket } from "ws"
import { createPacedSocket } from "./paced-socket.ts"

/** A client that takes each frame at once. */
function openClient() {
  const frames: number[] = []
  const send = (frame: Uint8Array, sent: () => void) => {
    frames.push(frame.length)
    process.nextTick(sent)
  }
  const socket = Object.assign(new EventEmitter(), { send, bufferedAmount: 0 }) as unknown as WebSocket
  return { socket, frames }
}

test("clients that catch up leave turns of the event loop to everybody else", async () => {
  const deps = { clock: new FakeClock(), turns: new LoopTurns() }
  const clients = Array.from({ length: 3 }, openClient)
  const all = clients.map(async ({ socket }) => {
    const paced = createPacedSocket(socket, deps)
    for (let n = 0; n < 40; n++) await paced.send(new Uint8Array(16 * 1024))
  })
  // Each has sent its first 64 KiB before the next turn; then there is as much of one in each.
  const counts = []
  for (let turn = 0; turn < 5; turn++) {
    await new Promise(setImmediate)
    counts.push(clients.reduce((sum, { frames }) => sum + frames.length, 0))
  }
  expect(counts).toEqual([12, 16, 20, 24, 28])
  await Promise.all(all)
})

test("a live stream waits for no turn, however much it brings over time", async () => {
  const clock = new FakeClock()
  const { socket, frames } = openClient()
  const paced = createPacedSocket(socket, { clock, turns: new LoopTurns() })
  let isOther = false
  setImmediate(() => (isOther = true))
  for (let n = 0; n < 100; n++) {
    await paced.send(new Uint8Array(32 * 1024))
    clock.advance(101)
  }
  expect([frames.length, isOther]).toEqual([100, false])
})
