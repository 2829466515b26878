import type { DeviceState, PortIdentity, PortSettings } from "@serialcast/contract"
import { type DeviceDeps, type ManagedDevice, startDevice } from "./device.ts"

export interface DevicesDeps extends Omit<DeviceDeps, "onChange"> {
  /** A device's state changed, or the device is no longer there. */
  readonly onChange: (device: string) => void
}

export interface NewDevice {
  readonly port: string
  readonly settings: PortSettings
  readonly identity: PortIdentity
}

/** All devices of this gateway, by name: those it opens, and those it only shows. */
export class Devices {
  readonly #gateway: string
  readonly #deps: DevicesDeps
  readonly #opened = new Map<string, ManagedDevice>()
  readonly #shown = new Map<string, DeviceState>()

  constructor(gateway: string, deps: DevicesDeps) {
    this.#gateway = gateway
    this.#deps = deps
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

  open(name: string, { port, settings, identity }: NewDevice): void {
    const onChange = () => this.#deps.onChange(name)
    const options = { gateway: this.#gateway, device: name, port, settings, identity }
    this.#opened.set(name, startDevice(options, { ...this.#deps, onChange }))
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
      epoch: "",
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
    await Promise.all([...this.#opened.values()].map((device) => device.stop()))
  }
}
