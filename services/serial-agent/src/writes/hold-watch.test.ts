import { createDeferred } from "@serialcast/primitives"
import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { errorOf } from "../testing/start-writes.ts"
import { HoldWatch } from "./hold-watch.ts"

const day = 86_400_000

function startWatch(limitMs: number | null = null) {
  const clock = new FakeClock()
  const told: string[] = []
  const watch = new HoldWatch(clock, {
    limitMs,
    onHeld: () => told.push("held"),
    onResumed: (isOver) => told.push(isOver ? "resumed" : "given up"),
  })
  return { clock, told, watch }
}

test("what is over within its time on the wire and two seconds is no news", async () => {
  const { clock, told, watch } = startWatch()
  const work = createDeferred<number>()
  const answer = watch.until(work.promise, 500)
  await clock.advanceAsync(2_999)
  expect(watch.isHeld).toBe(false)
  work.resolve(7)
  expect(await answer).toBe(7)
  expect([told, clock.pendingTimers]).toEqual([[], 0])
})

test("a port may be held for days, which is told at both ends", async () => {
  const { clock, told, watch } = startWatch()
  const work = createDeferred<number>()
  const answer = watch.until(work.promise, 0)
  await clock.advanceAsync(2_000)
  expect([watch.isHeld, told]).toEqual([true, ["held"]])
  await clock.advanceAsync(3 * day)
  work.resolve(7)
  expect(await answer).toBe(7)
  expect([watch.isHeld, told, clock.pendingTimers]).toEqual([false, ["held", "resumed"], 0])
})

test("a write and a drain that are held at the same time are told once", async () => {
  const { clock, told, watch } = startWatch()
  const [drain, write] = [createDeferred<void>(), createDeferred<void>()]
  const both = [watch.until(drain.promise, 10), watch.until(write.promise, 0)]
  await clock.advanceAsync(2_020)
  drain.resolve()
  await both[0]
  expect(told).toEqual(["held"])
  write.resolve()
  await both[1]
  expect(told).toEqual(["held", "resumed"])
})

test("with a limit it is given up then, and so it is when the port ends", async () => {
  const { clock, told, watch } = startWatch(60_000)
  const limited = errorOf(watch.until(new Promise(() => {}), 0))
  await clock.advanceAsync(61_999)
  expect(watch.isHeld).toBe(true)
  await clock.advanceAsync(1)
  expect(await limited).toMatchObject({ code: "aborted", message: "the port took no bytes for 60 s" })

  const work = createDeferred<void>()
  const ended = errorOf(watch.until(work.promise, 0))
  await clock.advanceAsync(2_000)
  work.reject(new Error("the device went away"))
  expect(await ended).toEqual(new Error("the device went away"))
  expect([told, clock.pendingTimers]).toEqual([["held", "given up", "held", "given up"], 0])
})
