import type { DeviceState, PortIdentity } from "@serialcast/contract"
import { createMemoryJournal, type Journal } from "@serialcast/journal"
import { chooseDriver, type PortDriver } from "@serialcast/ports"
import { createWakeup, type Wakeup, within } from "@serialcast/primitives"
import type { DeviceConfig } from "@serialcast/service-kit"
import { PortClaims } from "../discovery/port-claims.ts"
import { PortSharing } from "../port/port-sharing.ts"
import { type DeviceDeps, type ManagedDevice, startDevice } from "./device.ts"
import { watchHeads } from "./watch-heads.ts"

export interface DevicesDeps extends Omit<DeviceDeps, "onChange" | "sharing"> {
  /** A device's state changed, or the device is no longer there. */
  readonly onChange: (device: string) => void
  readonly openJournal: (device: string) => Promise<Journal>
}

export interface NewDevice {
  readonly config: DeviceConfig
  readonly identity: PortIdentity
}

interface OpenedDevice {
  readonly device: ManagedDevice
  readonly port: string
  /** Woken when the port may be there. */
  readonly appeared: Wakeup
  readonly heads: Disposable
}

// Always the same one, so that a reader that knows it goes on after a restart, and gets a gap once the port is opened.
const shownEpoch = "0".repeat(16)

// A disk that hangs may hold an opening for longer than an agent has to stop.
const leaveTimeoutMs = 3_000

/** All devices of this gateway, by name: those it opens, and those it only shows. */
export class Devices {
  readonly #gateway: string
  readonly #deps: DevicesDeps
  readonly #opened = new Map<string, OpenedDevice>()
  readonly #claims = new PortClaims()
  /** Devices whose journal is being opened. */
  readonly #opening = new Map<string, Promise<void>>()
  /** Devices that were removed and are not closed yet: until then, no other may open their journal. */
  readonly #leaving = new Map<string, Promise<void>>()
  readonly #shown = new Map<string, DeviceState>()
  /** Of every device that is only shown: it stays empty. */
  readonly #shownJournal: Journal
  readonly #sharing: PortSharing

  constructor(gateway: string, deps: DevicesDeps) {
    this.#gateway = gateway
    this.#deps = deps
    this.#sharing = new PortSharing(deps)
    this.#shownJournal = createMemoryJournal({ clock: deps.clock, createEpoch: () => shownEpoch })
  }

  get names(): string[] {
    return [...this.#opened.keys(), ...this.#shown.keys()].sort()
  }

  get states(): DeviceState[] {
    const opened = [...this.#opened.values()].map(({ device }) => device.state)
    return [...opened, ...this.#shown.values()].sort((a, b) => (a.device < b.device ? -1 : 1))
  }

  /** Of one alone: that of every device, each time one is told, is the square of them. */
  state(name: string): DeviceState | undefined {
    return this.find(name)?.state ?? this.#shown.get(name)
  }

  /** Of the devices that are opened. */
  get journals(): [device: string, journal: Journal][] {
    return [...this.#opened].map(([name, { device }]) => [name, device.journal])
  }

  find(name: string): ManagedDevice | undefined {
    return this.#opened.get(name)?.device
  }

  /** The journal of a device, opened or shown. */
  findJournal(name: string): Journal | undefined {
    return this.find(name)?.journal ?? (this.#shown.has(name) ? this.#shownJournal : undefined)
  }

  /** Of devices with the same port, the one that is opened first has it. Resolves when the device is there. */
  async open(name: string, device: NewDevice): Promise<void> {
    const { port } = device.config
    const guarded = (driver: PortDriver) => this.#claims.guard(driver, { device: name, port })
    const { clock, log } = this.#deps
    const onNote = (note: string) => log.warn({ device: name, port }, note)
    const areSilencesTold = device.config.framing?.type === "idle"
    const driver = guarded(chooseDriver(port, clock, { onNote, areSilencesTold }))
    const openJournal = async () => {
      await this.#leaving.get(name)
      const journal = await this.#deps.openJournal(name)
      if (this.#opening.get(name) === opening) this.#start(name, device, { driver, journal })
      else await journal.close()
    }
    const opening: Promise<void> = openJournal()
    this.#opening.set(name, opening)
    await opening
  }

  #start(
    name: string,
    { config, identity }: NewDevice,
    { driver, journal }: { driver: PortDriver; journal: Journal },
  ): void {
    this.#opening.delete(name)
    const { port, framing, charDelayMs, lineDelayMs, holdLimitMs, ...settings } = config
    const onChange = () => this.#deps.onChange(name)
    const appeared = createWakeup()
    const device = startDevice(
      {
        gateway: this.#gateway,
        device: name,
        port,
        settings,
        identity,
        framing,
        pacing: { charDelayMs, lineDelayMs },
        holdLimitMs,
        driver,
        journal,
        appeared,
      },
      { ...this.#deps, onChange, sharing: this.#sharing },
    )
    const heads = watchHeads(journal, this.#deps.clock, onChange)
    this.#opened.set(name, { device, port, appeared, heads })
    onChange()
  }

  /** Devices with this port need not wait for their next attempt to open it. */
  retry(port: string): void {
    for (const opened of this.#opened.values()) if (opened.port === port) opened.appeared.wake()
  }

  /** May be called again when more is known of the device. */
  show(name: string, { config, identity }: NewDevice): void {
    const { port, framing, charDelayMs: _char, lineDelayMs: _line, holdLimitMs: _limit, ...settings } = config
    const nothing = { oldest: 0, head: 0 }
    const state: DeviceState = {
      gateway: this.#gateway,
      device: name,
      online: false,
      open: 0,
      configured: false,
      port,
      identity,
      settings,
      lines: null,
      heldSince: null,
      framing,
      epoch: shownEpoch,
      rx: nothing,
      tx: nothing,
      lease: null,
      journal: this.#shownJournal.health,
      problem: {
        code: "not_configured",
        message: "Found, but not opened: add it to `devices`, or set discover: open.",
      },
      since: this.#shown.get(name)?.since ?? new Date(this.#deps.clock.nowMs()).toISOString(),
    }
    this.#shown.set(name, state)
    this.#deps.onChange(name)
  }

  /** False when the device is one that this gateway opens: it stays, and waits for its port. */
  hide(name: string): boolean {
    const wasShown = this.#shown.delete(name)
    if (wasShown) this.#deps.onChange(name)
    return wasShown
  }

  /** Closes the device if it is open, and forgets it. */
  remove(name: string): void {
    const opened = this.#opened.get(name)
    this.#claims.forget(name)
    if (opened === undefined) {
      this.#abandon(name)
      this.hide(name)
      return
    }
    this.#opened.delete(name)
    this.#leave(name, close(opened))
    this.#deps.onChange(name)
  }

  async stop(): Promise<void> {
    this.#sharing[Symbol.dispose]()
    for (const name of this.#opening.keys()) this.#abandon(name)
    const left = Promise.all(this.#leaving.values())
    await Promise.all([
      within(left, { clock: this.#deps.clock, timeoutMs: leaveTimeoutMs }),
      ...[...this.#opened.values()].map(close),
    ])
  }

  /** A journal that comes for it is closed again. */
  #abandon(name: string): void {
    const opening = this.#opening.get(name)
    if (opening === undefined) return
    this.#opening.delete(name)
    this.#leave(name, opening)
  }

  #leave(name: string, closing: Promise<void>): void {
    const { log } = this.#deps
    const left = closing
      .catch((error: unknown) => log.error({ device: name, reason: String(error) }, "device not closed"))
      .finally(() => {
        if (this.#leaving.get(name) === left) this.#leaving.delete(name)
      })
    this.#leaving.set(name, left)
  }
}

async function close({ device, heads }: OpenedDevice): Promise<void> {
  heads[Symbol.dispose]()
  await device.stop()
}
