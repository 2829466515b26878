import { createDeferred, type Deferred } from "@serialcast/primitives"
import { expect, test } from "vitest"
import { shareDrain } from "./share-drain.ts"

function start() {
  const runs: Deferred<void>[] = []
  const drain = shareDrain(() => {
    const run = createDeferred<void>()
    runs.push(run)
    return run.promise
  })
  return { runs, drain }
}

const tick = () => new Promise(setImmediate)

test("whoever asks while a drain runs waits for one that began later, all of them for the same", async () => {
  const { runs, drain } = start()
  const over: string[] = []
  const first = drain().then(() => over.push("first"))
  const later = Array.from({ length: 1_000 }, () => drain().then(() => over.push("later")))
  expect(runs).toHaveLength(1)
  runs[0]?.resolve()
  await first
  await tick()
  expect([runs.length, over]).toEqual([2, ["first"]])
  const last = drain()
  runs[1]?.resolve()
  await Promise.all(later)
  await tick()
  expect(runs).toHaveLength(3)
  runs[2]?.resolve()
  await last
  void drain()
  expect(runs).toHaveLength(4)
})

test("a drain that fails is told to who asked for it, and the next one runs all the same", async () => {
  const { runs, drain } = start()
  const failing = drain()
  const next = drain()
  runs[0]?.reject(new Error("Input/output error"))
  await expect(failing).rejects.toThrow("Input/output error")
  await tick()
  runs[1]?.resolve()
  await next
})
