import { maxReportedClients } from "@serialcast/contract"
import { createTunnelClient, createTunnelState } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { fitReport, maxReportBytes } from "./fit-report.ts"

const started = "2030-01-01T00:00:00.000Z"

/** A tunnel with so many clients, which are numbered from the oldest on. */
function crowded(count: number, peer = (n: number) => `10.0.0.1:${n}`) {
  const clients = Array.from({ length: count }, (_, n) => createTunnelClient(peer(n)))
  return createTunnelState({ clientCount: count, clients })
}

test("what fits is told as it is", () => {
  const report = { started, tunnels: [crowded(3), crowded(0)] }
  expect(fitReport(report)).toEqual(report)
})

test("of very many clients the newest are listed, and their number is told", () => {
  const [tunnel] = fitReport({ started, tunnels: [crowded(1_000)] }).tunnels
  expect(tunnel?.clientCount).toBe(1_000)
  expect(tunnel?.clients).toHaveLength(maxReportedClients)
  expect(tunnel?.clients.at(-1)?.peer).toBe("10.0.0.1:999")
})

test("the clients of a small tunnel are not crowded out by those of large ones", () => {
  const { tunnels } = fitReport({ started, tunnels: [crowded(1_000), crowded(5), crowded(1_000)] })
  expect(tunnels.map(({ clients }) => clients.length)).toEqual([97, 5, 97])
})

test("whatever there is to tell, it fits into a message", () => {
  const huge = {
    ...crowded(1_000, (n) => `[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:${n}`),
    type: "serialtcp-server" as const,
    link: "synchronising" as const,
    endpoint: "x".repeat(10_000),
    device: `${"g".repeat(64)}/${"d".repeat(64)}`,
    problem: { code: "gateway_name_taken", message: "\u0001".repeat(10_000) },
  }
  for (const count of [1, 8, 30, 64]) {
    const report = fitReport({ started, tunnels: Array.from({ length: count }, () => huge) })
    expect(report.tunnels).toHaveLength(count)
    expect(new TextEncoder().encode(JSON.stringify(report)).byteLength).toBeLessThanOrEqual(maxReportBytes)
  }
})
