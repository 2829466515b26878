import { expect, test } from "vitest"
import { maxPayloadBytes } from "./limits.ts"
import { parseJsonPayload } from "./state.ts"
import { maxReportedClients, type TunnelReport, tunnelReportSchema } from "./tunnel-report.ts"

const far = Number.MAX_SAFE_INTEGER
const report: TunnelReport = {
  started: "2030-01-01T00:00:00.000Z",
  tunnels: [
    {
      type: "raw",
      endpoint: "[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
      device: "local/uno",
      problem: null,
      link: null,
      clientCount: 1_000,
      clients: Array.from({ length: maxReportedClients }, () => ({
        peer: "[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
        since: "2030-01-01T00:00:00.000Z",
        bytes: { fromClient: far, toClient: far },
        refusedBytes: far,
        hasControl: false,
      })),
      totals: { clients: far, refusedClients: far, fromClients: far, toClients: far, refusedBytes: far },
    },
  ],
}
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))

test("a report is understood, fields of later versions are dropped", () => {
  expect(parseJsonPayload(tunnelReportSchema, encode({ ...report, color: "red" }))).toEqual(report)
  expect(
    parseJsonPayload(tunnelReportSchema, encode({ ...report, tunnels: [{ type: "raw" }] })),
  ).toBeUndefined()
})

test("as many clients as a report lists fit into one message", () => {
  expect(encode(report).byteLength).toBeLessThan(maxPayloadBytes - 4_096)
})
