import { AppError, type ModemLines, type PortSettings } from "@serialcast/contract"
import {
  after,
  type Clock,
  createWakeup,
  delay,
  longAgo,
  type MonotonicMs,
  msSince,
  msUntil,
} from "@serialcast/primitives"
import type { LineChange, OpenPort, PortDriver, PortListener } from "../port-driver.ts"

/** What a simulated device does with the wire. */
export interface SimulatedDevice {
  /** Runs until `signal` is aborted. When it rejects, the port is closed with the error's sentence. */
  run(wire: SimulatedWire, signal: AbortSignal): Promise<void>
  /** The modem lines that it drives, given those of the host. Absent: it has none. */
  readonly drive?: (host: { readonly dtr: boolean; readonly rts: boolean }) => ModemLines
}

export interface SimulatedWire {
  /** Resolves when the bytes are through, at the baud rate. */
  send(bytes: Uint8Array): Promise<void>
  /** Bytes from the host, as they come off the wire, a break as a zero byte; undefined at the end. */
  receive(): Promise<Uint8Array | undefined>
}

const minBaudRate = 50
// The wire moves in steps of this length, so that fast rates do not need a timer for each byte.
const stepMs = 10
// As late as timers are on a busy machine.
const lateMs = 30
// A device that does not read loses what comes after this, as a UART does when its buffer overruns.
const maxUnreadBytes = 64 * 1024

const tooSlow = `A simulated wire needs at least ${minBaudRate} baud.`

/** Opens a simulated device whose wire is as slow as a real one at the same baud rate. */
export function createSimDriver(device: SimulatedDevice, clock: Clock): PortDriver {
  return {
    async open(settings, listener) {
      if (settings.baudRate < minBaudRate) throw new AppError("open_failed", tooSlow)
      return new SimulatedPort(device, settings, listener, clock)
    },
  }
}

/** One direction of a wire: when all that was put on it is through. */
interface OneWay {
  freeMs: MonotonicMs
}

class SimulatedPort implements OpenPort {
  readonly #device: SimulatedDevice
  readonly #clock: Clock
  readonly #closing = new AbortController()
  readonly #running: Promise<void>
  readonly #arrived = createWakeup()
  readonly #listener: PortListener
  #settings: PortSettings
  #inbox: Uint8Array[] = []
  #unreadBytes = 0
  #purges = 0
  readonly #toDevice: OneWay = { freeMs: longAgo }
  readonly #fromDevice: OneWay = { freeMs: longAgo }
  /** As an open raises them. */
  #host = { dtr: true, rts: true, break: false }
  #closed: Promise<void> | undefined
  #fault: string | undefined

  constructor(device: SimulatedDevice, settings: PortSettings, listener: PortListener, clock: Clock) {
    this.#device = device
    this.#settings = settings
    this.#listener = listener
    this.#clock = clock
    const wire = { send: (bytes: Uint8Array) => this.#send(bytes), receive: () => this.#receive() }
    this.#running = device.run(wire, this.#closing.signal).catch((error: Error) => {
      this.#fault = error.message
      void this.close()
    })
  }

  get settings(): PortSettings {
    return this.#settings
  }

  /** Resolves when the bytes are through, so there is nothing left to drain. */
  async write(bytes: Uint8Array, signal?: AbortSignal): Promise<number> {
    const purges = this.#purges
    let taken = 0
    await this.#pace(bytes, this.#toDevice, (part) => {
      this.#deliver(part)
      taken += part.byteLength
      return this.#purges === purges && signal?.aborted !== true
    })
    if (this.#closing.signal.aborted) throw new Error("the simulated port was closed")
    return taken
  }

  async drain(): Promise<void> {
    this.#checkOpen()
  }

  /** What is on the wire goes on at the old pace, at most 10 ms or a byte. Throws `bad_request`. */
  async configure(settings: PortSettings): Promise<void> {
    this.#checkOpen()
    if (settings.baudRate < minBaudRate) throw new AppError("bad_request", tooSlow)
    this.#settings = settings
  }

  async signal(change: LineChange): Promise<void> {
    this.#checkOpen()
    if (this.#device.drive === undefined)
      throw new AppError("no_modem_lines", "This simulated device has no modem lines.")
    const { dtr, rts, break: wasBreak } = this.#host
    const isBreak = change.break ?? wasBreak
    // A UART reads a break as one byte of zeros, however long it lasts.
    if (isBreak && !wasBreak) this.#deliver(Uint8Array.of(0))
    this.#host = { dtr: change.dtr ?? dtr, rts: change.rts ?? rts, break: isBreak }
  }

  async readLines(): Promise<ModemLines | null> {
    this.#checkOpen()
    const { dtr, rts } = this.#host
    return this.#device.drive === undefined ? null : { dtr, rts, ...this.#device.drive({ dtr, rts }) }
  }

  async purge(): Promise<void> {
    this.#checkOpen()
    this.#purges++
  }

  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }

  async #end(): Promise<void> {
    this.#closing.abort()
    await this.#running
    this.#listener.onClosed({ reason: this.#fault ?? "closed by the agent" })
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw new Error("the port is closed")
  }

  #deliver(part: Uint8Array): void {
    if (this.#unreadBytes + part.byteLength > maxUnreadBytes) return
    this.#inbox.push(part)
    this.#unreadBytes += part.byteLength
    this.#arrived.wake()
  }

  #send(bytes: Uint8Array): Promise<void> {
    return this.#pace(bytes, this.#fromDevice, (part) => {
      this.#listener.onBytes(part.slice())
      return true
    })
  }

  async #receive(): Promise<Uint8Array | undefined> {
    const { signal } = this.#closing
    while (this.#inbox.length === 0 && !signal.aborted) await this.#arrived.wait({ signal })
    const part = this.#inbox.shift()
    this.#unreadBytes -= part?.byteLength ?? 0
    return part
  }

  /**
   * Gives `deliver` what comes off the wire, for as long as it wants more. What follows closely on what was there before
   * follows it on the wire too: timers are late, and a wire would be slower by each of them.
   */
  async #pace(bytes: Uint8Array, wire: OneWay, deliver: (part: Uint8Array) => boolean): Promise<void> {
    const { signal } = this.#closing
    const isIdle = msSince(this.#clock, wire.freeMs) > lateMs
    if (isIdle) wire.freeMs = this.#clock.monotonicMs()
    for (let at = 0; at < bytes.byteLength && !signal.aborted; ) {
      const byteMs = (bitsPerByte(this.#settings) * 1000) / this.#settings.baudRate
      const part = bytes.subarray(at, at + Math.max(1, Math.floor(stepMs / byteMs)))
      wire.freeMs = after(wire.freeMs, part.byteLength * byteMs)
      const waitMs = msUntil(this.#clock, wire.freeMs)
      if (waitMs > 0) await delay(this.#clock, waitMs, signal)
      if (signal.aborted || !deliver(part)) return
      at += part.byteLength
    }
  }
}

/** Start, data, parity and stop bits. */
function bitsPerByte({ dataBits, parity, stopBits }: PortSettings): number {
  return 1 + dataBits + (parity === "none" ? 0 : 1) + stopBits
}
