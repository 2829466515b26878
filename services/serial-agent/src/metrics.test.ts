import { createEpoch, createMemoryJournal, type Journal } from "@serialcast/journal"
import { createMetrics } from "@serialcast/service-kit"
import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { registerDeviceMetrics } from "./metrics.ts"

function start() {
  const registry = createMetrics()
  const journals = new Map<string, Journal>()
  for (const device of ["uno", "nano"])
    journals.set(device, createMemoryJournal({ clock: new FakeClock(), createEpoch }))
  registerDeviceMetrics(registry, { gateway: "local", journals: () => journals })
  const series = async () => {
    const lines = (await registry.metrics()).split("\n")
    return lines.filter((line) => line.startsWith("serialcast_agent_"))
  }
  return { journals, series }
}

test("what a device did since it was opened is told, by gateway and device", async () => {
  const { journals, series } = start()
  const uno = journals.get("uno")
  uno?.mark("rx", { kind: "opened", open: 7 })
  uno?.append("rx", new Uint8Array(10))
  uno?.append("rx", new Uint8Array(5))
  uno?.append("tx", new Uint8Array(3))
  const refused = { kind: "refused", id: "a", by: "me", bytes: 0 } as const
  for (const code of ["expired", "leased", "expired"] as const) uno?.mark("tx", { ...refused, code })
  expect((await series()).filter((line) => line.includes('"uno"'))).toMatchInlineSnapshot(`
    [
      "serialcast_agent_read_bytes_total{gateway="local",device="uno"} 15",
      "serialcast_agent_written_bytes_total{gateway="local",device="uno"} 3",
      "serialcast_agent_port_opens_total{gateway="local",device="uno"} 1",
      "serialcast_agent_unkept_bytes_total{gateway="local",device="uno"} 0",
      "serialcast_agent_journal_bytes{gateway="local",device="uno"} 0",
      "serialcast_agent_journal_refusing{gateway="local",device="uno"} 0",
      "serialcast_agent_journal_unreadable_segments{gateway="local",device="uno"} 0",
      "serialcast_agent_refused_writes_total{gateway="local",device="uno",code="expired"} 2",
      "serialcast_agent_refused_writes_total{gateway="local",device="uno",code="leased"} 1",
    ]
  `)
})

test("a device that is gone has no series any more", async () => {
  const { journals, series } = start()
  journals.get("uno")?.mark("tx", { kind: "refused", id: "a", by: "me", code: "expired", bytes: 0 })
  expect((await series()).some((line) => line.includes('"uno"'))).toBe(true)
  journals.delete("uno")
  const lines = await series()
  expect(lines.filter((line) => line.includes('"uno"'))).toEqual([])
  expect(lines.filter((line) => line.includes('"nano"')).length).toBeGreaterThan(0)
})
