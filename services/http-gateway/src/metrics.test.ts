import { createMetrics } from "@serialcast/service-kit"
import { expect, test } from "vitest"
import { createReaderMetrics } from "./metrics.ts"

test("readers are counted by device and kind while they are there, and leave no series behind", async () => {
  const registry = createMetrics()
  const readers = createReaderMetrics(registry)
  const series = async () =>
    (await registry.metrics()).split("\n").filter((line) => line.startsWith("serialcast_http_readers"))
  const begun = [readers.begin("local/uno", "stream"), readers.begin("local/uno", "stream")]
  begun.push(readers.begin("local/uno", "history"))
  expect(await series()).toEqual([
    'serialcast_http_readers{device="local/uno",kind="stream"} 2',
    'serialcast_http_readers{device="local/uno",kind="history"} 1',
  ])
  for (const reader of begun) reader[Symbol.dispose]()
  expect(await series()).toEqual([])
})
