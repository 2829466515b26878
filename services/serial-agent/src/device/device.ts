/*
 *   port ─→ journal (rx) ─→ uplink ─→ broker
 *   port ←─ turns ←─ writes, controls ←─ calls, tx topic
 */
import {
  type DeviceAddress,
  type DeviceState,
  type Framing,
  formatAddress,
  type PortIdentity,
} from "@serialcast/contract"
import type { Journal } from "@serialcast/journal"
import type { PortDriver } from "@serialcast/ports"
import { type Clock, type Wakeup, within } from "@serialcast/primitives"
import type { Logger } from "@serialcast/service-kit"
import { startLinePublisher } from "../framing/line-publisher.ts"
import { type PortLifeEvents, startPortLife } from "../port/port-life.ts"
import type { PortSharing } from "../port/port-sharing.ts"
import { startUplink, type UplinkDeps } from "../uplink/uplink.ts"
import { type Callees, type CalleesOptions, createCallees, type PortCallees } from "./callees.ts"
import { DeviceHealth } from "./device-health.ts"

// For the device's last marks to be shown, so that they are published; a disk that takes longer is not waited for.
const settleTimeoutMs = 500

export interface DeviceDeps {
  readonly broker: UplinkDeps["broker"]
  readonly clock: Clock
  readonly log: Logger
  readonly onChange: () => void
  readonly sharing: PortSharing
  /** What the system knows about the hardware behind a port, now. */
  readonly identify: (port: string) => Promise<PortIdentity>
}

export interface DeviceOptions extends DeviceAddress, CalleesOptions {
  /** Path or URL. */
  readonly port: string
  readonly identity: PortIdentity
  /** Null: there are no `line` topics. */
  readonly framing: Framing | null
  /** Closed when the device is stopped. */
  readonly journal: Journal
  readonly driver: PortDriver
  /** Woken when the port may be there. */
  readonly appeared: Wakeup
}

/** A device that this agent opens. */
export interface ManagedDevice extends Callees {
  readonly state: DeviceState
  readonly journal: Journal
  stop(): Promise<void>
}

export function startDevice(options: DeviceOptions, deps: DeviceDeps): ManagedDevice {
  const { gateway, device, port, driver, appeared, framing, journal } = options
  const { broker, clock, onChange } = deps
  const log = deps.log.child({ device: formatAddress(options), port })
  const callees = createCallees(options, { journal, clock, onChange })
  const { lease, controls } = callees
  let isStopping = false
  let opened: Pick<DeviceState, "openedAt"> = {}
  let { identity } = options
  const health = new DeviceHealth({ port, clock, log, onChange })
  const shared = deps.sharing.watch(port, (holders) => health.shared(holders))
  const identifyAgain = async () => {
    identity = await lookUp(deps, port, identity)
    onChange()
  }
  const events: PortLifeEvents = {
    onBytes: (bytes) => journal.append("rx", bytes),
    onOverrun: () => journal.mark("rx", { kind: "overrun" }),
    onOpened(openPort) {
      opened = markOpened(journal)
      callees.attach(openPort, journal.opens)
      health.opened()
      shared.opened()
      void identifyAgain()
    },
    onConfigured: onChange,
    onClosed({ reason }) {
      callees.detach()
      journal.mark("rx", { kind: "closed", reason, open: journal.opens })
      health.closed(reason, isStopping)
    },
    onProblem: (problem) => health.notOpened(problem),
  }
  const life = startPortLife({ driver, settings: () => controls.wanted, clock, events, appeared })
  const publishing = { broker, address: { gateway, device }, journal, clock }
  const uplink = startUplink({ ...publishing, idleMs: framing?.type === "idle" ? framing.idleMs : null })
  const lines = framing === null ? null : startLinePublisher({ ...publishing, framing })
  return {
    journal,
    ...callees,
    get state() {
      const fixed = { gateway, device, configured: true, port, identity, framing }
      return { ...fixed, ...health.now, ...opened, ...controlledBy(callees), ...keptIn(journal) }
    },
    async stop() {
      isStopping = true
      shared[Symbol.dispose]()
      await life.stop()
      lease.stop()
      await within(Promise.resolve(journal.settled()), { clock, timeoutMs: settleTimeoutMs })
      await Promise.all([uplink.stop(), lines?.stop(), journal.close()])
    },
  }
}

/** The next opening; answers where it stands. */
function markOpened(journal: Journal): Pick<DeviceState, "openedAt"> {
  const { offset: openedAt } = journal.place("rx")
  journal.mark("rx", { kind: "opened", open: journal.opens + 1 })
  return { openedAt }
}

function controlledBy({
  controls,
  lease,
  heldSince,
}: PortCallees): Pick<DeviceState, "settings" | "lines" | "lease" | "heldSince"> {
  const { settings, lines } = controls
  return { settings, lines, lease: lease.inForce, heldSince }
}

function keptIn(journal: Journal): Pick<DeviceState, "open" | "epoch" | "rx" | "tx" | "journal"> {
  const { opens: open, epoch, health } = journal
  return { open, epoch, rx: journal.extent("rx"), tx: journal.extent("tx"), journal: health }
}

/** What is behind the port now: another device may be plugged in at the same path. `before` when that cannot be told. */
async function lookUp(
  { identify, log }: DeviceDeps,
  port: string,
  before: PortIdentity,
): Promise<PortIdentity> {
  try {
    return await identify(port)
  } catch (error) {
    // It is told for people; the port works without.
    log.warn({ port, reason: String(error) }, "could not find out what is behind the port")
    return before
  }
}
