import { expect, test } from "vitest"
import { createDeferred } from "./deferred.ts"
import { Gate } from "./gate.ts"

const tick = () => new Promise(setImmediate)

/** A gate whose work ends when it is told to. */
function start(limits: { maxRunning: number; maxWaiting: number }) {
  const gate = new Gate({ ...limits, refusal: () => new Error("full") })
  const running: { name: string; end: () => void }[] = []
  const enter = (client: string, name: string) =>
    gate.run(async () => {
      const ended = createDeferred<void>()
      running.push({ name, end: ended.resolve })
      await ended.promise
      return name
    }, client)
  /** Ends what runs, one after another, and answers the order in which it ran. */
  const runAll = async () => {
    const order: string[] = []
    for (let next = running.shift(); next !== undefined; next = running.shift()) {
      order.push(next.name)
      next.end()
      await tick()
    }
    return order
  }
  return { enter, gate, running, runAll }
}

test("only so many run at a time", async () => {
  const { enter, running, runAll } = start({ maxRunning: 4, maxWaiting: 100 })
  const all = Array.from({ length: 10 }, (_, n) => enter("a", `${n}`))
  await tick()
  expect(running).toHaveLength(4)
  running.pop()?.end()
  await tick()
  expect(running).toHaveLength(4)
  await runAll()
  expect(await Promise.all(all)).toHaveLength(10)
})

test("clients take turns, however much one of them wants", async () => {
  const { enter, runAll } = start({ maxRunning: 1, maxWaiting: 100 })
  for (const name of ["a1", "a2", "a3", "a4"]) void enter("a", name)
  for (const name of ["b1", "b2"]) void enter("b", name)
  void enter("c", "c1")
  await tick()
  expect(await runAll()).toEqual(["a1", "a2", "b1", "c1", "a3", "b2", "a4"])
})

test("when too much waits, the client with the most loses the newest of it", async () => {
  const { enter, runAll } = start({ maxRunning: 1, maxWaiting: 3 })
  const refused = new Error("full")
  for (const name of ["a1", "a2", "a3"]) void enter("a", name)
  const newest = enter("a", "a4")
  const other = enter("b", "b1")
  await expect(newest).rejects.toEqual(refused)
  await expect(enter("a", "a5")).rejects.toEqual(refused)
  expect(await runAll()).toEqual(["a1", "a2", "b1", "a3"])
  expect(await other).toBe("b1")
})

test("work that fails makes room", async () => {
  const gate = new Gate({ maxRunning: 1, maxWaiting: 1 })
  const failing = gate.run(async () => {
    throw new Error("no")
  })
  await expect(failing).rejects.toThrow("no")
  expect(await gate.run(async () => 1)).toBe(1)
})

test("what waits may be refused all at once, and what runs goes on", async () => {
  const { enter, gate, runAll } = start({ maxRunning: 1, maxWaiting: 9 })
  const first = enter("a", "a1")
  const waiting = [enter("a", "a2"), enter("b", "b1")]
  expect(gate.hasFree).toBe(false)
  gate.refuseWaiting(new Error("gone"))
  for (const each of waiting) await expect(each).rejects.toThrow("gone")
  expect(await runAll()).toEqual(["a1"])
  expect(await first).toBe("a1")
  expect(gate.hasFree).toBe(true)
})

test("what is given up waits no longer, and leaves its place to others", async () => {
  const cancellation = () => new Error("given up")
  const gate = new Gate({ maxRunning: 1, maxWaiting: 1, cancellation })
  const ended = createDeferred<void>()
  const first = gate.run(() => ended.promise)
  const giving = new AbortController()
  const given = gate.run(async () => {}, "", giving.signal)
  giving.abort()
  await expect(given).rejects.toThrow("given up")
  await expect(gate.run(async () => {}, "", giving.signal)).rejects.toThrow("given up")
  const next = gate.run(async () => "next")
  ended.resolve()
  await first
  expect(await next).toBe("next")
  expect(gate.hasFree).toBe(true)
})

test("what has begun goes on when it is given up", async () => {
  const gate = new Gate({ maxRunning: 1, maxWaiting: 1 })
  const giving = new AbortController()
  const ended = createDeferred<string>()
  const running = gate.run(() => ended.promise, "", giving.signal)
  giving.abort()
  ended.resolve("done")
  expect(await running).toBe("done")
})
