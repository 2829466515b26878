import { AppError, type ErrorCode, type Lease } from "@serialcast/contract"
import { after } from "@serialcast/primitives"
import { clockTroubles, FakeClock } from "@serialcast/testkit"
import { beforeEach, expect, test } from "vitest"
import { createTestLog } from "../testing/test-agent.ts"
import { type DeviceLease, holdLease } from "./held-lease.ts"

const ttlMs = 30_000
let clock: FakeClock
/** When it was renewed, in milliseconds from the start; and when it was given back. */
let renewed: number[]
let released: number[]
/** What the next renewals come to; default: they are granted. */
let refusals: ErrorCode[]
let releaseRefusal: ErrorCode | null

beforeEach(() => {
  clock = new FakeClock()
  renewed = []
  released = []
  refusals = []
  releaseRefusal = null
})

function hold(askedMs = clock.monotonicMs()): DeviceLease {
  const lease: Lease = { token: "t", holder: "me", ttlMs }
  return holdLease(lease, askedMs, {
    clock,
    log: createTestLog(),
    renew: async () => {
      renewed.push(clock.monotonicMs())
      const refusal = refusals.shift()
      if (refusal !== undefined) throw new AppError(refusal, "No.")
      return lease
    },
    release: async () => {
      released.push(clock.monotonicMs())
      if (releaseRefusal !== null) throw new AppError(releaseRefusal, "No.")
    },
  })
}

test("a lease renews itself each third of its time, for as long as it is held", async () => {
  const lease = hold()
  await clock.advanceAsync(100_000)
  expect(renewed).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((third) => third * 10_000))
  expect(lease.lost.aborted).toBe(false)
  await lease.release()
  await clock.advanceAsync(100_000)
  expect([renewed.length, released, lease.lost.aborted, clock.pendingTimers]).toEqual([
    10,
    [100_000],
    false,
    0,
  ])
})

test.each<ErrorCode>(["lease_lost", "leased", "unauthorized"])(
  "a renewal refused as %s loses it at once",
  async (code) => {
    refusals = [code]
    const lease = hold()
    await clock.advanceAsync(10_000)
    expect([lease.lost.aborted, clock.pendingTimers]).toEqual([true, 0])
    await lease.release()
    expect(released).toEqual([])
  },
)

test("a renewal that found nobody is tried again, until the time of the lease is over", async () => {
  refusals = ["no_reply", "broker_offline", "overloaded"]
  const lease = hold()
  await clock.advanceAsync(29_999)
  expect([renewed, lease.lost.aborted]).toEqual([[10_000, 20_000], false])
  await clock.advanceAsync(1)
  expect([renewed.length, lease.lost.aborted]).toEqual([2, true])
})

test("one that is granted in the end goes on", async () => {
  refusals = ["no_reply", "no_reply"]
  const lease = hold(after(clock.monotonicMs(), 1))
  await clock.advanceAsync(60_000)
  expect(lease.lost.aborted).toBe(false)
})

test("the time of a lease counts from when it was asked for, not from when it was answered", async () => {
  refusals = ["no_reply", "no_reply", "no_reply"]
  const lease = hold(after(clock.monotonicMs(), -12_000))
  await clock.advanceAsync(17_999)
  expect(lease.lost.aborted).toBe(false)
  await clock.advanceAsync(1)
  expect(lease.lost.aborted).toBe(true)
})

test("a process that was stopped for longer sees it as soon as it looks, before any timer has fired", () => {
  let isStopped = false
  const monotonicMs = clock.monotonicMs.bind(clock)
  clock.monotonicMs = () => after(monotonicMs(), isStopped ? ttlMs : 0)
  const lease = hold()
  isStopped = true
  expect(lease.lost.aborted).toBe(true)
  expect(renewed).toEqual([])
})

test("a lease that somebody took is given back already; a release that fails otherwise is told", async () => {
  releaseRefusal = "lease_lost"
  await hold().release()
  releaseRefusal = "no_reply"
  await expect(hold().release()).rejects.toMatchObject({ code: "no_reply" })
})

test("disposing gives it back once, and never throws: it ends with its time anyway", async () => {
  releaseRefusal = "no_reply"
  const lease = hold()
  await lease[Symbol.asyncDispose]()
  await lease[Symbol.asyncDispose]()
  expect([released, clock.pendingTimers]).toEqual([[0], 0])
})

test.each(clockTroubles)(
  "on a machine %s a lease goes on, and is renewed at its times",
  async (_title, befall) => {
    const lease = hold()
    await clock.advanceAsync(15_000)
    befall(clock)
    expect(lease.lost.aborted).toBe(false)
    await clock.advanceAsync(15_000)
    expect([renewed, lease.lost.aborted]).toEqual([[10_000, 20_000, 30_000], false])
  },
)

test.each(clockTroubles)(
  "on a machine %s a lease that is not renewed is lost at its time",
  async (_title, befall) => {
    refusals = ["no_reply", "no_reply", "no_reply"]
    const lease = hold()
    await clock.advanceAsync(15_000)
    befall(clock)
    await clock.advanceAsync(14_999)
    expect(lease.lost.aborted).toBe(false)
    await clock.advanceAsync(1)
    expect(lease.lost.aborted).toBe(true)
  },
)
