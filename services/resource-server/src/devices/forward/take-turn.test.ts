import { createDeferred } from "@serialcast/primitives"
import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { DeviceTurns } from "./take-turn.ts"

test("one request at a time uses a device; other devices wait for nobody", async () => {
  const turns = new DeviceTurns(new FakeClock())
  const first = createDeferred<string>()
  const order: string[] = []
  const one = turns.take("a/a", "ann", () => first.promise)
  const two = turns.take("a/a", "bob", async () => void order.push("two"))
  await turns.take("a/b", "bob", async () => void order.push("other"))
  first.resolve("done")
  expect(await one).toBe("done")
  await two
  expect(order).toEqual(["other", "two"])
})

test("a failure is its own, and hands the turn on", async () => {
  const turns = new DeviceTurns(new FakeClock())
  await expect(turns.take("a/a", "ann", () => Promise.reject(new Error("no")))).rejects.toThrow("no")
  expect(await turns.take("a/a", "ann", async () => 1)).toBe(1)
})

test("who waits too long is refused and does nothing later; so is one too many", async () => {
  const clock = new FakeClock()
  const turns = new DeviceTurns(clock)
  const first = createDeferred<void>()
  const one = turns.take("a/a", "ann", () => first.promise)
  let done = 0
  const waiting = Array.from({ length: 33 }, () => turns.take("a/a", "bob", async () => void (done += 1)))
  const outcomes = Promise.allSettled(waiting)
  await expect(Promise.race(waiting)).rejects.toMatchObject({ code: "overloaded" })
  clock.advance(10_000)
  for (const outcome of await outcomes)
    expect(outcome).toMatchObject({ status: "rejected", reason: { code: "overloaded" } })
  first.resolve()
  await one
  await turns.take("a/a", "ann", async () => {})
  expect(done).toBe(0)
})
