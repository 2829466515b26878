import type { TunnelState } from "@serialcast/contract"
import { createMetrics } from "@serialcast/service-kit"
import { createTunnelState } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { registerTunnelMetrics } from "./metrics.ts"

const labels = 'type="raw",endpoint="127.0.0.1:7001",device="local/uno"'

function start() {
  const registry = createMetrics()
  const service: { states: readonly TunnelState[] } = { states: [] }
  registerTunnelMetrics(registry, () => service.states)
  const series = async () => {
    const lines = (await registry.metrics()).split("\n")
    return lines.filter((line) => line.startsWith("serialcast_tunnel_"))
  }
  return { service, series }
}

test("what a tunnel did since the start is told, by what it speaks, its endpoint and its device", async () => {
  const { service, series } = start()
  const totals = { clients: 7, refusedClients: 2, fromClients: 100, toClients: 2_000, refusedBytes: 3 }
  service.states = [createTunnelState({ clientCount: 4, totals })]
  expect(await series()).toEqual([
    `serialcast_tunnel_accepted_clients_total{${labels}} 7`,
    `serialcast_tunnel_refused_clients_total{${labels}} 2`,
    `serialcast_tunnel_from_clients_bytes_total{${labels}} 100`,
    `serialcast_tunnel_to_clients_bytes_total{${labels}} 2000`,
    `serialcast_tunnel_refused_bytes_total{${labels}} 3`,
    `serialcast_tunnel_clients{${labels}} 4`,
    `serialcast_tunnel_up{${labels}} 1`,
  ])
})

test("a problem is told with its code, a cable with where it stands, and both only as they are now", async () => {
  const { service, series } = start()
  const problem = { code: "device_offline", message: "It is not there." }
  service.states = [createTunnelState({ problem, link: "synchronising" })]
  const before = await series()
  expect(before).toContain(`serialcast_tunnel_up{${labels}} 0`)
  expect(before).toContain(`serialcast_tunnel_problem{${labels},code="device_offline"} 1`)
  expect(before).toContain(`serialcast_tunnel_link{${labels},link="synchronising"} 1`)
  service.states = [createTunnelState({ link: "connected" })]
  const after = (await series()).filter((line) => /_(up|problem|link)\{/.test(line))
  expect(after).toEqual([
    `serialcast_tunnel_up{${labels}} 1`,
    `serialcast_tunnel_link{${labels},link="connected"} 1`,
  ])
})
