import { eventually, seededRandom } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { startResourceProcesses } from "./testing/resource-processes.ts"
import { puts, Writers } from "./testing/writers.ts"

const victims = [
  ["server"],
  ["broker"],
  ["broker", "server"],
  ["server", "other server"],
  ["broker", "server", "other server"],
] as const

test("kill -9 of servers, of the broker and of everything in the middle of 10,000 PUTs loses nothing that was answered", async () => {
  const random = seededRandom()
  const processes = await startResourceProcesses({ servers: 2 })
  onTestFinished(() => processes[Symbol.asyncDispose]())
  const { broker, servers, failed } = processes
  const all = { broker, server: servers[0]!, "other server": servers[1]! }
  const writing = new Writers(processes)
  await Promise.race([writing.make(), failed])
  let isWriting = true
  const kill = async () => {
    for (const names of victims) {
      const next = writing.done + 500 + random.next() * 1_000
      // What follows the last kills may be over before it comes to the next ones.
      await eventually(() => expect(!isWriting || writing.done > next).toBe(true), { timeoutMs: 120_000 })
      await Promise.all(names.map((name) => all[name].kill()))
      for (const name of names) all[name].start()
    }
  }
  await Promise.race([Promise.all([writing.write().finally(() => (isWriting = false)), kill()]), failed])
  expect(writing.done, `seed ${random.seed}`).toBeGreaterThan(puts / 4)
  await writing.check()
  // From the disk alone.
  for (const one of [broker, ...servers]) await one.kill()
  for (const one of [broker, ...servers]) one.start()
  await writing.check()
})
