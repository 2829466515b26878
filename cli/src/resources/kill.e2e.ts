import { eventually, seededRandom } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { startResourceProcesses } from "./testing/resource-processes.ts"
import { puts, Writers } from "./testing/writers.ts"

test.each([
  ["a server", ["server"]],
  ["the broker", ["broker"]],
  ["the broker and a server", ["broker", "server"]],
  ["everything", ["broker", "server", "other server"]],
] as const)(
  "kill -9 of %s in the middle of 10,000 PUTs loses nothing that was answered",
  async (_what, victims) => {
    const random = seededRandom()
    const processes = await startResourceProcesses({ servers: 2 })
    onTestFinished(() => processes[Symbol.asyncDispose]())
    const { broker, servers, failed } = processes
    const all = { broker, server: servers[0]!, "other server": servers[1]! }
    const writing = new Writers(processes)
    await Promise.race([writing.make(), failed])
    let isWriting = true
    const kills = (async () => {
      for (let at = 1; at < 5 && isWriting; at++) {
        const from = writing.done + writing.failed
        await eventually(
          () => expect(!isWriting || writing.done > from + 300 + random.next() * 600).toBe(true),
          {
            timeoutMs: 120_000,
          },
        )
        await Promise.all(victims.map((victim) => all[victim].kill()))
        for (const victim of victims) all[victim].start()
      }
    })()
    await Promise.race([writing.write(), failed])
    isWriting = false
    await kills
    expect(writing.done, `seed ${random.seed}`).toBeGreaterThan(puts / 4)
    await writing.check()
    // From the disk alone.
    for (const one of [broker, ...servers]) await one.kill()
    for (const one of [broker, ...servers]) one.start()
    await writing.check()
  },
)
