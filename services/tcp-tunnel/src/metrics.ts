import type { TunnelState } from "@serialcast/contract"
import { Counter, Gauge, type Registry } from "@serialcast/service-kit"

interface Meter {
  readonly name: string
  readonly help: string
  readonly read: (state: TunnelState) => number
}

const counters: readonly Meter[] = [
  { name: "accepted_clients", help: "Clients that were served.", read: ({ totals }) => totals.clients },
  {
    name: "refused_clients",
    help: "Clients that were turned away: too many, or not allowed.",
    read: ({ totals }) => totals.refusedClients,
  },
  {
    name: "from_clients_bytes",
    help: "Bytes of clients that the device's gateway took.",
    read: ({ totals }) => totals.fromClients,
  },
  {
    name: "to_clients_bytes",
    help: "Bytes of the device that were sent to clients, counted once for each client.",
    read: ({ totals }) => totals.toClients,
  },
  {
    name: "refused_bytes",
    help: "Bytes of clients that did not reach the device.",
    read: ({ totals }) => totals.refusedBytes,
  },
]

const gauges: readonly Meter[] = [
  { name: "clients", help: "Clients that are connected now.", read: ({ clientCount }) => clientCount },
  {
    name: "up",
    help: "1 while the tunnel works, 0 while a problem keeps it from working.",
    read: ({ problem }) => (problem === null ? 1 : 0),
  },
]

/** Registers what is measured of each tunnel since the service started, read anew whenever the metrics are. */
export function registerTunnelMetrics(registry: Registry, states: () => readonly TunnelState[]): void {
  const options = ({ name, help }: Pick<Meter, "name" | "help">, labels: readonly string[] = []) => ({
    name: `serialcast_tunnel_${name}`,
    help,
    labelNames: ["type", "endpoint", "device", ...labels],
    registers: [registry],
  })
  for (const { name, help, read } of counters) {
    new Counter({
      ...options({ name: `${name}_total`, help }),
      collect() {
        this.reset()
        for (const state of states()) this.inc(labelsOf(state), read(state))
      },
    })
  }
  for (const { name, help, read } of gauges) {
    new Gauge({
      ...options({ name, help }),
      collect() {
        this.reset()
        for (const state of states()) this.set(labelsOf(state), read(state))
      },
    })
  }
  // As labels that are there or not: what Prometheus calls an info metric.
  new Gauge({
    ...options({ name: "problem", help: "1 for the code of the problem that a tunnel has now." }, ["code"]),
    collect() {
      this.reset()
      for (const { problem, ...state } of states())
        if (problem !== null) this.set({ ...labelsOf(state), code: problem.code }, 1)
    },
  })
  new Gauge({
    ...options({ name: "link", help: "1 for where a serialtcp tunnel stands with its other end." }, ["link"]),
    collect() {
      this.reset()
      for (const { link, ...state } of states()) if (link !== null) this.set({ ...labelsOf(state), link }, 1)
    },
  })
}

function labelsOf({ type, endpoint, device }: Pick<TunnelState, "type" | "endpoint" | "device">) {
  return { type, endpoint, device }
}
