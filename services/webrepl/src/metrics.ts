import { Counter, Gauge, type Registry } from "@serialcast/service-kit"
import type { ListenerState } from "./listen/board-listener.ts"

interface Meter {
  readonly name: string
  readonly help: string
  readonly read: (state: ListenerState) => number
}

const counters: readonly Meter[] = [
  { name: "logins", help: "Clients that logged in.", read: ({ totals }) => totals.clients },
  { name: "from_clients_bytes", help: "Bytes that clients typed.", read: ({ totals }) => totals.fromClients },
  {
    name: "to_clients_bytes",
    help: "Bytes of the board that were sent to clients, counted once for each client.",
    read: ({ totals }) => totals.toClients,
  },
]

const gauges: readonly Meter[] = [
  { name: "clients", help: "Clients that are logged in now.", read: ({ clients }) => clients.length },
  {
    name: "up",
    help: "1 while the board can be used, 0 while a problem keeps it from that.",
    read: ({ problem }) => (problem === null ? 1 : 0),
  },
]

/** Registers what is measured of each board since the service started, read anew whenever the metrics are. */
export function registerWebreplMetrics(registry: Registry, states: () => readonly ListenerState[]): void {
  const options = ({ name, help }: Pick<Meter, "name" | "help">) => ({
    name: `serialcast_webrepl_${name}`,
    help,
    labelNames: ["endpoint", "device"],
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
}

function labelsOf({ endpoint, device }: ListenerState) {
  return { endpoint, device }
}
