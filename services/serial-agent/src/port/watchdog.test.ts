import { createDeferred } from "@serialcast/primitives"
import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { runWatchdog } from "./watchdog.ts"

function start(check: () => Promise<unknown>) {
  const clock = new FakeClock()
  const ending = new AbortController()
  const deaths: unknown[] = []
  let checks = 0
  const counted = () => {
    checks++
    return check()
  }
  const onDead = (error: unknown) => void deaths.push(error)
  const running = runWatchdog({ clock, check: counted, onDead, signal: ending.signal })
  return { clock, ending, deaths, running, checks: () => checks }
}

test("a dead port is told once, within a quarter of a second, and not checked again", async () => {
  let isDead = false
  const { clock, deaths, running, checks } = start(async () => {
    if (isDead) throw new Error("EIO")
  })
  await clock.advanceAsync(1_000)
  expect([checks(), deaths]).toEqual([4, []])
  isDead = true
  await clock.advanceAsync(250)
  expect(deaths).toEqual([new Error("EIO")])
  await running
  await clock.advanceAsync(10_000)
  expect(checks()).toBe(5)
})

test("a check that takes long is not joined by another", async () => {
  const slow = createDeferred<void>()
  const { clock, ending, running, checks } = start(() => slow.promise)
  await clock.advanceAsync(5_000)
  expect(checks()).toBe(1)
  slow.resolve()
  await clock.advanceAsync(250)
  expect(checks()).toBe(2)
  ending.abort()
  await running
})

test("it ends with its port, and says nothing of a check that was on its way", async () => {
  const slow = createDeferred<void>()
  const { clock, ending, deaths, running } = start(() => slow.promise)
  await clock.advanceAsync(250)
  ending.abort()
  slow.reject(new Error("the port is closed"))
  await running
  expect(deaths).toEqual([])
  expect(clock.pendingTimers).toBe(0)
})
