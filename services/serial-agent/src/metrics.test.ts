import { createEpoch, createMemoryJournal, type Journal } from "@serialcast/journal"
import { createMetrics } from "@serialcast/service-kit"
import { createDeviceState, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { registerDeviceMetrics } from "./metrics.ts"

function start() {
  const registry = createMetrics()
  const journals = new Map<string, Journal>()
  for (const device of ["uno", "nano"])
    journals.set(device, createMemoryJournal({ clock: new FakeClock(), createEpoch }))
  const states = [
    createDeviceState({ gateway: "local", device: "uno", online: true, heldSince: "2030-01-01T00:00:00Z" }),
    createDeviceState({ gateway: "local", device: "nano", online: false }),
    createDeviceState({ gateway: "local", device: "shown", online: false, configured: false }),
  ]
  registerDeviceMetrics(registry, {
    gateway: "local",
    journals: () => journals,
    states: () => states.filter(({ device }) => journals.has(device) || device === "shown"),
  })
  const series = async () => {
    const lines = (await registry.metrics()).split("\n")
    return lines.filter((line) => line.startsWith("serialcast_agent_"))
  }
  return { journals, series }
}

test("what a device did since it was opened is told, by its address", async () => {
  const { journals, series } = start()
  const uno = journals.get("uno")
  uno?.mark("rx", { kind: "opened", open: 7 })
  uno?.append("rx", new Uint8Array(10))
  uno?.append("rx", new Uint8Array(5))
  uno?.append("tx", new Uint8Array(3))
  const refused = { kind: "refused", id: "a", by: "me", bytes: 0 } as const
  for (const code of ["expired", "leased", "expired"] as const) uno?.mark("tx", { ...refused, code })
  expect((await series()).filter((line) => line.includes('"local/uno"'))).toMatchInlineSnapshot(`
    [
      "serialcast_agent_online{device="local/uno"} 1",
      "serialcast_agent_held{device="local/uno"} 1",
      "serialcast_agent_read_bytes_total{device="local/uno"} 15",
      "serialcast_agent_written_bytes_total{device="local/uno"} 3",
      "serialcast_agent_port_opens_total{device="local/uno"} 1",
      "serialcast_agent_unkept_bytes_total{device="local/uno"} 0",
      "serialcast_agent_journal_bytes{device="local/uno"} 0",
      "serialcast_agent_journal_refusing{device="local/uno"} 0",
      "serialcast_agent_journal_unreadable_segments{device="local/uno"} 0",
      "serialcast_agent_refused_writes_total{device="local/uno",code="expired"} 2",
      "serialcast_agent_refused_writes_total{device="local/uno",code="leased"} 1",
    ]
  `)
})

test("a device that is gone has no series any more", async () => {
  const { journals, series } = start()
  journals.get("uno")?.mark("tx", { kind: "refused", id: "a", by: "me", code: "expired", bytes: 0 })
  expect((await series()).some((line) => line.includes('"local/uno"'))).toBe(true)
  journals.delete("uno")
  const lines = await series()
  expect(lines.filter((line) => line.includes('"local/uno"'))).toEqual([])
  expect(lines.filter((line) => line.includes('"local/nano"')).length).toBeGreaterThan(0)
})

test("whether a device is online, and held by flow control, is told, and nothing of ports that are only shown", async () => {
  const { series } = start()
  expect((await series()).filter((line) => line.includes("_online"))).toEqual([
    'serialcast_agent_online{device="local/uno"} 1',
    'serialcast_agent_online{device="local/nano"} 0',
  ])
  expect((await series()).filter((line) => line.includes("_held"))).toEqual([
    'serialcast_agent_held{device="local/uno"} 1',
    'serialcast_agent_held{device="local/nano"} 0',
  ])
})
