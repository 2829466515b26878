/*
 *   port ─→ journal (rx) ─→ uplink ─→ broker
 *   port ←─ write queue  ←─ calls, tx topic
 */
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
import { type PortLifeEvents, startPortLife } from "../port/port-life.ts"
import { startUplink, type UplinkDeps } from "../uplink/uplink.ts"
import { PartAssembly } from "../writes/part-assembly.ts"
import { WriteQueue } from "../writes/write-queue.ts"
import { createEpoch } from "./create-epoch.ts"

export interface DeviceDeps {
  readonly broker: UplinkDeps["broker"]
  readonly clock: Clock
  readonly log: Logger
  readonly onChange: () => void
  /** What the system knows about the hardware behind a port, now. */
  readonly identify: (port: string) => Promise<PortIdentity>
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
const nothing = new Uint8Array(0)

type Health = Pick<DeviceState, "online" | "problem" | "since">

export function startDevice(options: DeviceOptions, deps: DeviceDeps): ManagedDevice {
  const { gateway, device, port, settings } = options
  const { broker, clock, onChange } = deps
  const log = deps.log.child({ device: formatAddress(options), port })
  const journal = createMemoryJournal({ clock, createEpoch })
  const writes = new WriteQueue({ journal, clock, byteMs: byteMsOf(settings) })
  const parts = new PartAssembly(clock)
  let isStopping = false
  let open = 0
  let health: Health = { online: false, problem: null, since: timeOf(clock) }
  const change = (online: boolean, problem: DeviceState["problem"]) => {
    health = { online, problem, since: online === health.online ? health.since : timeOf(clock) }
    onChange()
  }
  let { identity } = options
  const identifyAgain = async () => {
    identity = await lookUp(deps, port, identity)
    onChange()
  }
  const events: PortLifeEvents = {
    onBytes: (bytes) => journal.append("rx", bytes),
    onOpened(openPort, count) {
      open = count
      expireParts(parts, writes)
      journal.mark("rx", { kind: "opened", open })
      writes.attach(openPort, open)
      log.info("port opened")
      change(true, null)
      void identifyAgain()
    },
    onClosed({ reason }) {
      writes.detach()
      expireParts(parts, writes)
      journal.mark("rx", { kind: "closed", reason })
      log[isStopping ? "info" : "warn"]({ reason }, "port closed")
      change(false, { code: "device_offline", message: `The port was closed: ${reason}.` })
    },
    onProblem(problem: AppError) {
      log.warn({ code: problem.code }, problem.message)
      change(false, problem.toWire())
    },
  }
  const life = startPortLife({ driver: chooseDriver(port, clock), settings, clock, events })
  const uplink = startUplink({ broker, address: { gateway, device }, journal, clock })
  return {
    journal,
    writes,
    parts,
    get state() {
      const extents = { rx: journal.extent("rx"), tx: journal.extent("tx") }
      const fixed = { gateway, device, configured: true, port, identity, settings, lines: null, lease: null }
      return { ...fixed, ...health, open, epoch: journal.epoch, ...extents }
    },
    async stop() {
      isStopping = true
      await life.stop()
      await uplink.stop()
    },
  }
}

/** RFC 3339 */
function timeOf(clock: Clock): string {
  return new Date(clock.nowMs()).toISOString()
}

/** How long a byte is on the wire, in milliseconds. */
function byteMsOf({ dataBits, parity, stopBits, baudRate }: PortSettings): number {
  return ((startBits + dataBits + (parity === "none" ? 0 : 1) + stopBits) * 1000) / baudRate
}

/** The rest of a write must not follow on another open of the port, which may be another device. */
function expireParts(parts: PartAssembly, writes: WriteQueue): void {
  for (const unfinished of parts.clear()) writes.expire({ ...unfinished, bytes: nothing })
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
