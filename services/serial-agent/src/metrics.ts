import { type DeviceState, formatAddress } from "@serialcast/contract"
import type { Journal } from "@serialcast/journal"
import { Counter, Gauge, type Registry } from "@serialcast/service-kit"

export interface MeteredDevices {
  readonly gateway: string
  /** Of the devices that are there now, by name. */
  readonly journals: () => Iterable<readonly [device: string, journal: Journal]>
  /** Of these devices, and of those that are only shown. */
  readonly states: () => readonly DeviceState[]
}

interface Meter {
  readonly name: string
  readonly help: string
  readonly read: (journal: Journal) => number
}

const counters: readonly Meter[] = [
  { name: "read_bytes", help: "Bytes read from the device.", read: ({ counts }) => counts.bytes.rx },
  { name: "written_bytes", help: "Bytes written to the device.", read: ({ counts }) => counts.bytes.tx },
  { name: "port_opens", help: "How often the port was opened.", read: ({ counts }) => counts.opens },
  {
    name: "unkept_bytes",
    help: "Bytes that were shown to readers, and that the journal's disk did not take.",
    read: ({ counts }) => counts.unkeptBytes,
  },
]

const gauges: readonly Meter[] = [
  { name: "journal_bytes", help: "What the journal takes on disk.", read: ({ health }) => health.bytes },
  {
    name: "journal_refusing",
    help: "1 while something is wrong with the journal (the state says what), 0 while it works.",
    read: ({ health }) => (health.problem === null ? 0 : 1),
  },
  {
    name: "journal_unreadable_segments",
    help: "Segments of the journal that were found to be unreadable, or only in part: readers get gaps.",
    read: ({ counts }) => counts.unreadableSegments,
  },
]

const conditions: readonly { name: string; help: string; is: (state: DeviceState) => boolean }[] = [
  {
    name: "online",
    help: "1 while the device's port is open, 0 while it is not.",
    is: ({ online }) => online,
  },
  {
    name: "held",
    help: "1 while the port takes none of what is to be written to it, as flow control holds it; else 0.",
    is: ({ heldSince }) => heldSince !== null,
  },
]

/**
 * Registers what is measured of each device since this process opened it, by the address that all services know it by. All
 * is read anew whenever the metrics are, so that a device that is gone has no series any more.
 */
export function registerDeviceMetrics(
  registry: Registry,
  { gateway, journals, states }: MeteredDevices,
): void {
  const options = ({ name, help }: Pick<Meter, "name" | "help">, labels: readonly string[] = []) => ({
    name: `serialcast_agent_${name}`,
    help,
    labelNames: ["device", ...labels],
    registers: [registry],
  })
  const labelsOf = (device: string) => ({ device: formatAddress({ gateway, device }) })
  for (const { name, help, is } of conditions) {
    new Gauge({
      ...options({ name, help }),
      collect() {
        this.reset()
        for (const state of states())
          if (state.configured) this.set(labelsOf(state.device), is(state) ? 1 : 0)
      },
    })
  }
  for (const { name, help, read } of counters) {
    new Counter({
      ...options({ name: `${name}_total`, help }),
      collect() {
        this.reset()
        for (const [device, journal] of journals()) this.inc(labelsOf(device), read(journal))
      },
    })
  }
  for (const { name, help, read } of gauges) {
    new Gauge({
      ...options({ name, help }),
      collect() {
        this.reset()
        for (const [device, journal] of journals()) this.set(labelsOf(device), read(journal))
      },
    })
  }
  new Counter({
    ...options({ name: "refused_writes_total", help: "Writes that were refused, by the code why." }, [
      "code",
    ]),
    collect() {
      this.reset()
      for (const [device, { counts }] of journals())
        for (const [code, count] of counts.refusals) this.inc({ ...labelsOf(device), code }, count)
    },
  })
}
