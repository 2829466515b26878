import { createDeferred } from "@serialcast/primitives"
import { expect, test } from "vitest"
import { shareRuns } from "./share-runs.ts"

/** Work whose runs end as the test says. */
function setUp() {
  const runs: ReturnType<typeof createDeferred<void>>[] = []
  const ask = shareRuns(() => {
    const run = createDeferred<void>()
    runs.push(run)
    return run.promise
  })
  return { runs, ask }
}

test("all who ask during a run share the next one, however many they are", async () => {
  const { runs, ask } = setUp()
  const first = ask()
  const others = Array.from({ length: 1_000 }, () => ask())
  expect(runs).toHaveLength(1)
  runs[0]!.resolve()
  await first
  await new Promise(setImmediate)
  expect(runs).toHaveLength(2)
  runs[1]!.resolve()
  await Promise.all(others)
  void ask()
  expect(runs).toHaveLength(3)
})

test("a run that fails is told to those who asked for it, and the next one goes on", async () => {
  const { runs, ask } = setUp()
  const [first, second] = [ask(), ask()]
  runs[0]!.reject(new Error("no"))
  await expect(first).rejects.toThrow("no")
  await new Promise(setImmediate)
  runs[1]!.resolve()
  await second
})
