import { createDeferred } from "@serialcast/primitives"
import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { linger } from "./linger.ts"

/** Waits for work at 115,200 Bd, where the longest write takes 6.25 s. */
function setUp() {
  const clock = new FakeClock()
  const work = createDeferred<void>()
  const stopping = new AbortController()
  const device = { receipts: 0 }
  const state = { isOver: false }
  const options = { clock, baudRate: 115_200, receipts: () => device.receipts, signal: stopping.signal }
  void linger(work.promise, options).then(() => {
    state.isOver = true
  })
  return { clock, work, stopping, device, state }
}

test("work is waited for while the device takes something, and no longer", async () => {
  const { clock, device, state } = setUp()
  for (let n = 0; n < 10; n++) {
    device.receipts += 1
    await clock.advanceAsync(16_250)
    expect(state.isOver).toBe(false)
  }
  await clock.advanceAsync(16_249)
  expect(state.isOver).toBe(false)
  await clock.advanceAsync(1)
  expect(state.isOver).toBe(true)
})

test("it is over when the work is, also when that failed, or at the stop", async () => {
  for (const end of ["done", "failed", "stopped"] as const) {
    const { clock, work, stopping, state } = setUp()
    await clock.advanceAsync(1)
    expect(state.isOver).toBe(false)
    if (end === "done") work.resolve()
    else if (end === "failed") work.reject(new Error("refused"))
    else stopping.abort()
    await clock.advanceAsync(1)
    expect(state.isOver).toBe(true)
  }
})
