import { EventEmitter } from "node:events"
import type { ServerResponse } from "node:http"
import { LoopTurns, systemClock } from "@serialcast/primitives"
import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { PacedResponse } from "./paced-response.ts"

test("clients that take large parts as fast as they come leave turns of the event loop to everybody else", async () => {
  const written: number[] = []
  const client = Object.assign(new EventEmitter(), { write: (part: string) => written.push(part.length) > 0 })
  const pace = {
    clock: systemClock,
    stallMs: 1_000,
    turns: new LoopTurns(),
    signal: new AbortController().signal,
  }
  const catchUp = async () => {
    const paced = new PacedResponse(client as unknown as ServerResponse, pace)
    for (let n = 0; n < 100; n++) await paced.write("x".repeat(16_384))
  }
  const all = Promise.all([catchUp(), catchUp(), catchUp()])
  // Each has written its first 64 KiB before the next turn; then there is as much of one in each.
  const counts = []
  for (let turn = 0; turn < 5; turn++) {
    await new Promise(setImmediate)
    counts.push(written.length)
  }
  expect(counts).toEqual([12, 16, 20, 24, 28])
  await all
})

test("small parts wait for nothing", async () => {
  let written = 0
  const client = Object.assign(new EventEmitter(), { write: () => ++written > 0 })
  const pace = {
    clock: systemClock,
    stallMs: 1_000,
    turns: new LoopTurns(),
    signal: new AbortController().signal,
  }
  let isOther = false
  setImmediate(() => (isOther = true))
  const paced = new PacedResponse(client as unknown as ServerResponse, pace)
  for (let n = 0; n < 100; n++) await paced.write("x")
  expect([written, isOther]).toEqual([100, false])
})

test("a live stream waits for no turn, however much it brings over time", async () => {
  const client = Object.assign(new EventEmitter(), { write: () => true })
  const clock = new FakeClock()
  const pace = { clock, stallMs: 1_000, turns: new LoopTurns(), signal: new AbortController().signal }
  const paced = new PacedResponse(client as unknown as ServerResponse, pace)
  let isOther = false
  setImmediate(() => (isOther = true))
  for (let n = 0; n < 100; n++) {
    await paced.write("x".repeat(32 * 1024))
    clock.advance(101)
  }
  expect(isOther).toBe(false)
})
