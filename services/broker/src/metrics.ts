import { Counter, Gauge, type Registry } from "@serialcast/service-kit"

/** What the broker counts. */
export interface BrokerCounters {
  countReceived(): void
  countSent(): void
  /** A message that asked to be retained and was not, for want of room. */
  countNotRetained(): void
  /** A message that is retained in memory only, for the disk did not take it. */
  countNotKept(): void
  /** A client that was cut off, by the code of the reason: `slow_client`, `too_large`, `unauthorized`, … */
  countCut(code: string): void
  /** A connection refused because there are too many. */
  countDropped(): void
}

export function createBrokerCounters(registry: Registry): BrokerCounters {
  const registers = [registry]
  const counter = (name: string, help: string) =>
    new Counter({ name: `serialcast_broker_${name}_total`, help, registers })
  const received = counter("messages_received", "Messages that clients published.")
  const sent = counter("messages_sent", "Messages delivered, counted once for each receiver.")
  const notRetained = counter("messages_not_retained", "Messages not retained because the room was used up.")
  const notKept = counter(
    "messages_not_kept",
    "Messages retained in memory only, because the disk did not take them.",
  )
  const dropped = counter("connections_dropped", "Connections refused because there were too many.")
  const cut = new Counter({
    name: "serialcast_broker_clients_cut_total",
    help: "Clients cut off, by the code of the reason.",
    labelNames: ["code"],
    registers,
  })
  return {
    countReceived: () => received.inc(),
    countSent: () => sent.inc(),
    countNotRetained: () => notRetained.inc(),
    countNotKept: () => notKept.inc(),
    countCut: (code) => cut.inc({ code }),
    countDropped: () => dropped.inc(),
  }
}

/** What is measured whenever the metrics are read. */
export interface BrokerState {
  readonly connectedClients: () => number
  readonly heldBytes: () => number
  readonly isRetainedAway: () => boolean
}

export function registerBrokerGauges(
  registry: Registry,
  { connectedClients, heldBytes, isRetainedAway }: BrokerState,
): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `serialcast_broker_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read())
      },
    })
  gauge("clients", "MQTT clients that are connected now.", connectedClients)
  gauge("held_bytes", "Bytes for clients that their connections have not taken.", heldBytes)
  gauge("retained_away", "1 while the disk takes no retained messages.", () => Number(isRetainedAway()))
}
