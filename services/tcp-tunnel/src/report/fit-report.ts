import { maxReportedClients, type TunnelReport, type TunnelState } from "@serialcast/contract"

/** A report has to fit into one message beside what wraps it (`maxPayloadBytes`). */
export const maxReportBytes = 60_000

/**
 * What is told of many clients and long messages, less and less. With the last one every configuration fits: 64 tunnels
 * of 400 bytes of JSON around a device's name (129) and an endpoint (260), and 30 characters of up to six bytes in JSON.
 */
const economies = [
  { clients: maxReportedClients, messageLength: 1_000 },
  { clients: 100, messageLength: 300 },
  { clients: 50, messageLength: 100 },
  { clients: 0, messageLength: 30 },
]
const maxEndpointLength = 260

/** The report with as many clients, `maxReportedClients` at most, as keep its JSON within `maxReportBytes`. */
export function fitReport({ started, tunnels }: TunnelReport): TunnelReport {
  let report: TunnelReport = { started, tunnels }
  for (const { clients, messageLength } of economies) {
    const perTunnel = shareOf(clients, tunnels)
    report = { started, tunnels: tunnels.map((tunnel) => shorten(tunnel, perTunnel, messageLength)) }
    if (new TextEncoder().encode(JSON.stringify(report)).byteLength <= maxReportBytes) break
  }
  return report
}

/** How many clients each tunnel may list, so that few of one are not crowded out by many of another. */
function shareOf(total: number, tunnels: readonly TunnelState[]): number {
  let left = total
  const counts = tunnels.map(({ clients }) => clients.length).sort((a, b) => a - b)
  for (const [at, count] of counts.entries()) {
    const share = Math.floor(left / (counts.length - at))
    if (count > share) return share
    left -= count
  }
  return total
}

/** The newest clients are those that somebody looks for. */
function shorten(tunnel: TunnelState, clients: number, messageLength: number): TunnelState {
  const { problem, endpoint } = tunnel
  return {
    ...tunnel,
    endpoint: endpoint.slice(0, maxEndpointLength),
    problem: problem === null ? null : { ...problem, message: problem.message.slice(0, messageLength) },
    clients: clients === 0 ? [] : tunnel.clients.slice(-clients),
  }
}
