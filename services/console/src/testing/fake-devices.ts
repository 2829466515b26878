import { AppError, type DeviceState, formatAddress, type Receipt } from "@serialcast/contract"
import type { ReadOptions, StreamEvent, WriteOptions } from "@serialcast/device-stream"
import { createWakeup } from "@serialcast/primitives"
import { createDeviceState } from "@serialcast/testkit"
import type { ConsoleDevices } from "../console-devices.ts"

export const testEpoch = "00000000000000aa"

const testState = createDeviceState({ epoch: testEpoch })

interface Stream {
  readonly events: StreamEvent[]
  head: number
  pulledBytes: number
}

/** Devices in memory: their streams are arrays of events, and a test says what becomes of each write. For tests. */
export class FakeDevices implements ConsoleDevices {
  readonly isConnected = true
  readonly writes: {
    readonly address: string
    readonly bytes: Uint8Array
    readonly options: WriteOptions
  }[] = []
  /** Decides the outcome of a write; default: done at once. */
  onWrite: (bytes: Uint8Array, address: string) => Promise<void> = () => Promise.resolve()
  readonly #states = new Map<string, DeviceState>()
  readonly #streams = new Map<string, Stream>()
  readonly #listeners = new Set<(state: DeviceState) => void>()
  readonly #news = createWakeup()
  #writtenBytes = 0

  readonly devices = {
    list: () => [...this.#states.values()],
    get: (address: string) => this.#states.get(address),
    onChange: (listener: (state: DeviceState) => void) => {
      this.#listeners.add(listener)
      return () => this.#listeners.delete(listener)
    },
  }

  /** How many follow the states, of which those that wait for a device are some. */
  get waiting(): number {
    return this.#listeners.size
  }

  setState(change: Partial<DeviceState>): void {
    const state = { ...testState, ...change }
    this.#states.set(formatAddress(state), state)
    for (const listener of this.#listeners) listener(state)
  }

  /** The device sends these bytes. */
  sendBytes(address: string, bytes: Uint8Array): void {
    const stream = this.#stream(address)
    const offset = stream.head
    stream.head += bytes.byteLength
    const cursor = { epoch: testEpoch, offset: stream.head, mark: 0 }
    this.sendEvent(address, { kind: "bytes", cursor, offset, timeUs: 1_900_000_000_000_000, bytes })
  }

  sendEvent(address: string, event: StreamEvent): void {
    this.#stream(address).events.push(event)
    this.#news.wake()
  }

  /** How many device bytes all readers of a device have taken together. */
  pulledBytes(address: string): number {
    return this.#stream(address).pulledBytes
  }

  device(address: string): ReturnType<ConsoleDevices["device"]> {
    return {
      read: (options) => this.#read(address, options),
      write: (bytes, options) => this.#write(address, bytes, options),
    }
  }

  whenReady(): Promise<void> {
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  async *#read(
    address: string,
    { from = { kind: "now" }, signal }: ReadOptions,
  ): AsyncGenerator<StreamEvent> {
    this.#need(address)
    const stream = this.#stream(address)
    const { events, head } = stream
    const wanted = { now: head, start: 0, last: 0, time: 0, cursor: 0 }[from.kind]
    const start = from.kind === "cursor" ? from.cursor : { epoch: testEpoch, offset: wanted, mark: 0 }
    if (start.epoch !== testEpoch) throw new AppError("bad_cursor", "Expected a cursor of this device.")
    let next =
      from.kind === "now"
        ? events.length
        : events.findIndex(({ cursor }) => (cursor?.offset ?? 0) > start.offset)
    if (next < 0) next = events.length
    yield { kind: "positioned", cursor: start }
    while (!signal.aborted) {
      const event = events[next]
      if (event === undefined) await this.#news.wait({ signal })
      else {
        next += 1
        if (event.kind === "bytes") stream.pulledBytes += event.bytes.byteLength
        yield event
      }
    }
  }

  async #write(address: string, bytes: Uint8Array, options: WriteOptions): Promise<Receipt> {
    this.#need(address)
    this.writes.push({ address, bytes, options })
    await this.onWrite(bytes, address)
    const from = this.#writtenBytes
    this.#writtenBytes += bytes.byteLength
    return {
      bytes: bytes.byteLength,
      from: `${testEpoch}-${from}`,
      to: `${testEpoch}-${this.#writtenBytes}`,
      drainedUs: 1,
    }
  }

  #need(address: string): void {
    if (!this.#states.has(address)) throw new AppError("unknown_device", `There is no device ${address}.`)
  }

  #stream(address: string): Stream {
    const stream = this.#streams.get(address) ?? { events: [], head: 0, pulledBytes: 0 }
    this.#streams.set(address, stream)
    return stream
  }
}
