import type { DeviceState, PortIdentity, PortSettings } from "@serialcast/contract"
import type { Journal } from "../journal/journal.ts"
import { createMemoryJournal } from "../journal/memory-journal.ts"
import { type DeviceDeps, type ManagedDevice, startDevice } from "./device.ts"
import { watchHeads } from "./watch-heads.ts"

export interface DevicesDeps extends Omit<DeviceDeps, "onChange"> {
  /** A device's state changed, or the device is no longer there. */
  readonly onChange: (device: string) => void
}

export interface NewDevice {
  readonly port: string
  readonly settings: PortSettings
  readonly identity: PortIdentity
}

// Always the same one, so that a reader that knows it goes on after a restart, and gets a gap once the port is opened.
const shownEpoch = "0".repeat(16)

/** All devices of this gateway, by name: those it opens, and those it only shows. */
export class Devices {
  readonly #gateway: string
  readonly #deps: DevicesDeps
  readonly #opened = new Map<string, ManagedDevice>()
  readonly #watches: Disposable[] = []
  readonly #shown = new Map<string, DeviceState>()
  /** Of every device that is only shown: it stays empty. */
  readonly #shownJournal: Journal

  constructor(gateway: string, deps: DevicesDeps) {
    this.#gateway = gateway
    this.#deps = deps
    this.#shownJournal = createMemoryJournal({ clock: deps.clock, createEpoch: () => shownEpoch })
  }

  get names(): string[] {
    return [...this.#opened.keys(), ...this.#shown.keys()].sort()
  }

  get states(): DeviceState[] {
    return [...[...this.#opened.values()].map(({ state }) => state), ...this.#shown.values()]
  }

  find(name: string): ManagedDevice | undefined {
    return this.#opened.get(name)
  }

  /** The journal of a device, opened or shown. */
  findJournal(name: string): Journal | undefined {
    return this.#opened.get(name)?.journal ?? (this.#shown.has(name) ? this.#shownJournal : undefined)
  }

  open(name: string, { port, settings, identity }: NewDevice): void {
    const onChange = () => this.#deps.onChange(name)
    const options = { gateway: this.#gateway, device: name, port, settings, identity }
    const device = startDevice(options, { ...this.#deps, onChange })
    this.#opened.set(name, device)
    this.#watches.push(watchHeads(device.journal, this.#deps.clock, onChange))
    onChange()
  }

  show(name: string, { port, settings, identity }: NewDevice): void {
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
      epoch: shownEpoch,
      rx: nothing,
      tx: nothing,
      lease: null,
      problem: {
        code: "not_configured",
        message: "Found, but not opened: add it to `devices`, or set discover: open.",
      },
      since: new Date(this.#deps.clock.nowMs()).toISOString(),
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

  async stop(): Promise<void> {
    for (const watch of this.#watches) watch[Symbol.dispose]()
    await Promise.all([...this.#opened.values()].map((device) => device.stop()))
  }
}
