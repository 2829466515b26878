import { EventEmitter } from "node:events"
import type { ServerResponse } from "node:http"
import { ByteBudget, ByteQueue, LoopTurns } from "@serialcast/primitives"
import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { sendPart } from "./send-part.ts"

/** A client that takes what it is sent when the test says so; what the system would hold for it is left out. */
class SlowClient extends EventEmitter {
  taken = 0
  isCut = false
  isEnded = false
  readonly gone = new AbortController()

  write(bytes: Uint8Array): boolean {
    this.taken += bytes.byteLength
    return false
  }

  destroy(): void {
    this.isCut = true
    this.gone.abort()
  }

  end(): void {
    this.isEnded = true
  }
}

function start(size: number) {
  const clock = new FakeClock()
  const client = new SlowClient()
  const budget = new ByteBudget({ totalBytes: 1e9, freeBytes: 0 })
  const account = budget.open("a")
  const bytes = new ByteQueue()
  bytes.push(new Uint8Array(size))
  account.resize(bytes.heldBytes)
  const options = { account, clock, turns: new LoopTurns(), signal: client.gone.signal }
  const sent = sendPart(client as unknown as ServerResponse, bytes, options)
  const pass = async (ms: number) => {
    await clock.advanceAsync(ms)
    client.emit("drain")
    await clock.advanceAsync(0)
  }
  return { clock, client, budget, sent, pass }
}

test("what a client took is held no longer, and at the end nothing is", async () => {
  const { client, budget, sent, pass } = start(256 * 1024)
  await pass(1_000)
  expect(budget.heldBytes).toBe(256 * 1024 - client.taken + 64 * 1024)
  for (let n = 0; n < 4; n++) await pass(1_000)
  await sent
  expect([client.taken, client.isEnded, budget.heldBytes]).toEqual([256 * 1024, true, 0])
})

test("a client that takes nothing for half a minute is cut off", async () => {
  const { clock, client, sent } = start(256 * 1024)
  await clock.advanceAsync(29_999)
  expect(client.isCut).toBe(false)
  await clock.advanceAsync(1)
  expect(client.isCut).toBe(true)
  await sent
})

test("a client that takes a little every time is cut off after five minutes, however little it may be", async () => {
  const { client, sent, pass } = start(4 * 1024 * 1024)
  for (let n = 0; n < 14; n++) await pass(20_000)
  expect(client.isCut).toBe(false)
  await pass(20_000)
  expect(client.isCut).toBe(true)
  await sent
})
