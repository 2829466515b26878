/*
 *   port ─→ journal (rx) ─→ uplink ─→ broker
 *   port ←─ write queue  ←─ calls, tx topic
 */
import type { BrokerClient } from "@serialcast/broker-client"
import {
  type AppError,
  type DeviceAddress,
  type DeviceState,
  formatAddress,
  type PortIdentity,
  type PortSettings,
} from "@serialcast/contract"
import type { Clock } from "@serialcast/primitives"
import type { Logger } from "@serialcast/service-kit"
import type { Journal } from "../journal/journal.ts"
import { createMemoryJournal } from "../journal/memory-journal.ts"
import { chooseDriver } from "../port/choose-driver.ts"
import { startPortLife } from "../port/port-life.ts"
import { startUplink } from "../uplink/uplink.ts"
import { PartAssembly } from "../writes/part-assembly.ts"
import { WriteQueue } from "../writes/write-queue.ts"
import { createEpoch } from "./create-epoch.ts"

export interface DeviceDeps {
  readonly broker: BrokerClient
  readonly clock: Clock
  readonly log: Logger
  readonly onChange: () => void
}

export interface DeviceOptions extends DeviceAddress {
  /** Path or URL. */
  readonly port: string
  readonly settings: PortSettings
  readonly identity: PortIdentity
}

/** A device that this agent opens. */
export interface ManagedDevice {
  readonly state: DeviceState
  readonly journal: Journal
  readonly writes: WriteQueue
  readonly parts: PartAssembly
  stop(): Promise<void>
}

const startBits = 1

export function startDevice(options: DeviceOptions, deps: DeviceDeps): ManagedDevice {
  const { gateway, device, port, settings, identity } = options
  const { broker, clock, onChange } = deps
  const log = deps.log.child({ device: formatAddress(options), port })
  const driver = chooseDriver(port, clock)
  const journal = createMemoryJournal({ clock, createEpoch })
  const frameBits = startBits + settings.dataBits + (settings.parity === "none" ? 0 : 1) + settings.stopBits
  const writes = new WriteQueue({ journal, clock, byteMs: (frameBits * 1000) / settings.baudRate })
  const now = () => new Date(clock.nowMs()).toISOString()
  let open = 0
  let health: Pick<DeviceState, "online" | "problem" | "since"> = {
    online: false,
    problem: null,
    since: now(),
  }
  const change = (online: boolean, problem: DeviceState["problem"]) => {
    health = { online, problem, since: online === health.online ? health.since : now() }
    onChange()
  }
  const life = startPortLife({
    driver,
    settings,
    clock,
    events: {
      onBytes: (bytes) => journal.append("rx", bytes),
      onOpened(openPort, count) {
        open = count
        journal.mark("rx", { kind: "opened", open })
        writes.attach(openPort, open)
        log.info("port opened")
        change(true, null)
      },
      onClosed({ reason }) {
        writes.detach()
        journal.mark("rx", { kind: "closed", reason })
        log.warn({ reason }, "port closed")
        change(false, { code: "device_offline", message: `The port was closed: ${reason}.` })
      },
      onProblem(problem: AppError) {
        log.warn({ code: problem.code }, problem.message)
        change(false, problem.toWire())
      },
    },
  })
  const uplink = startUplink({ broker, address: { gateway, device }, journal, clock })
  return {
    journal,
    writes,
    parts: new PartAssembly(clock),
    get state() {
      const extents = { rx: journal.extent("rx"), tx: journal.extent("tx") }
      const fixed = { gateway, device, configured: true, port, identity, settings, lines: null, lease: null }
      return { ...fixed, ...health, open, epoch: journal.epoch, ...extents }
    },
    async stop() {
      await life.stop()
      await uplink.stop()
    },
  }
}
