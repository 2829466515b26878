import { AppError, type PortSettings } from "@serialcast/contract"
import { type Clock, createWakeup, delay } from "@serialcast/primitives"
import type { OpenPort, PortDriver, PortListener } from "./port-driver.ts"

/** What a simulated device does with the wire. */
export interface SimulatedDevice {
  /** Runs until `signal` is aborted. */
  run(wire: SimulatedWire, signal: AbortSignal): Promise<void>
}

export interface SimulatedWire {
  /** Resolves when the bytes are through, at the baud rate. */
  send(bytes: Uint8Array): Promise<void>
  /** Bytes from the host, as they come off the wire; undefined at the end. */
  receive(): Promise<Uint8Array | undefined>
}

// Start, eight data and one stop bit.
const bitsPerByte = 10
// The wire moves in steps of this length, so that fast rates do not need a timer for each byte.
const stepMs = 10
// A device that does not read loses what comes after this, as a UART does when its buffer overruns.
const maxUnreadBytes = 64 * 1024

/** Opens a simulated device whose wire is as slow as a real one at the same baud rate. */
export function createSimDriver(device: SimulatedDevice, clock: Clock): PortDriver {
  return {
    async open(settings, listener) {
      if (settings.baudRate < 50)
        throw new AppError("open_failed", "A simulated wire needs at least 50 baud.")
      return new SimulatedPort(device, settings, listener, clock)
    },
  }
}

class SimulatedPort implements OpenPort {
  readonly #settings: PortSettings
  readonly #clock: Clock
  readonly #closing = new AbortController()
  readonly #running: Promise<void>
  readonly #arrived = createWakeup()
  readonly #listener: PortListener
  #inbox: Uint8Array[] = []
  #unreadBytes = 0
  #closed: Promise<void> | undefined

  constructor(device: SimulatedDevice, settings: PortSettings, listener: PortListener, clock: Clock) {
    this.#settings = settings
    this.#listener = listener
    this.#clock = clock
    const wire = { send: (bytes: Uint8Array) => this.#send(bytes), receive: () => this.#receive() }
    this.#running = device.run(wire, this.#closing.signal)
  }

  /** Resolves when the bytes are through, so there is nothing left to drain. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#pace(bytes, (part) => this.#deliver(part))
    if (this.#closing.signal.aborted) throw new Error("the simulated port was closed")
  }

  async drain(): Promise<void> {}

  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }

  async #end(): Promise<void> {
    this.#closing.abort()
    await this.#running
    this.#listener.onClosed({ reason: "closed by the agent" })
  }

  #deliver(part: Uint8Array): void {
    if (this.#unreadBytes + part.byteLength > maxUnreadBytes) return
    this.#inbox.push(part)
    this.#unreadBytes += part.byteLength
    this.#arrived.wake()
  }

  #send(bytes: Uint8Array): Promise<void> {
    return this.#pace(bytes, (part) => this.#listener.onBytes(part.slice()))
  }

  async #receive(): Promise<Uint8Array | undefined> {
    const { signal } = this.#closing
    while (this.#inbox.length === 0 && !signal.aborted) await this.#arrived.wait({ signal })
    const part = this.#inbox.shift()
    this.#unreadBytes -= part?.byteLength ?? 0
    return part
  }

  async #pace(bytes: Uint8Array, deliver: (part: Uint8Array) => void): Promise<void> {
    const bytesPerStep = Math.max(1, Math.floor((this.#settings.baudRate / bitsPerByte / 1000) * stepMs))
    for (let at = 0; at < bytes.byteLength && !this.#closing.signal.aborted; at += bytesPerStep) {
      const part = bytes.subarray(at, at + bytesPerStep)
      const wireMs = (part.byteLength * bitsPerByte * 1000) / this.#settings.baudRate
      await delay(this.#clock, wireMs, this.#closing.signal)
      if (!this.#closing.signal.aborted) deliver(part)
    }
  }
}
