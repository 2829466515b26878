import { AppError, type DeviceState, type Mark } from "@serialcast/contract"
import type {
  Device,
  DeviceClient,
  DeviceLease,
  DeviceWriter,
  ReadOptions,
  StreamEvent,
  WriterOptions,
} from "@serialcast/device-stream"
import { createWakeup } from "@serialcast/primitives"
import { createDeviceState } from "@serialcast/testkit"

const epoch = "00000000000000aa"

/** One session of writes, as a test plays its agent. */
export interface PlayedSession {
  readonly by: string
  readonly lease: string | undefined
  /** What was written, in order. */
  readonly written: Uint8Array[]
  /** Every write so far has its receipt. */
  drain(): void
  /** The first write without a receipt is refused, and all behind it. */
  refuse(error: AppError): void
}

/** A client with the device `local/uno` in memory: a test says what it sends and what becomes of its writes. */
export class PlayedDevices implements DeviceClient {
  readonly isConnected = true
  readonly tunnels = { list: () => [], onChange: () => () => {} }
  readonly sessions: PlayedSession[] = []
  /** Calls outside of sessions: their verb and what they ask for. */
  readonly calls: unknown[] = []
  /** Writes get their receipt at once. */
  drainsItself = true
  /** Nobody answers any more: neither writes, nor their taking back, nor calls. */
  isDeaf = false
  /** How many bytes all readers took. */
  pulledBytes = 0
  readonly #events: StreamEvent[] = []
  readonly #news = createWakeup()
  readonly #listeners = new Set<(state: DeviceState) => void>()
  #state: DeviceState | undefined
  #head = 0

  readonly devices = {
    list: () => (this.#state === undefined ? [] : [this.#state]),
    get: (address: string) => (address === "local/uno" ? this.#state : undefined),
    onChange: (listener: (state: DeviceState) => void) => {
      this.#listeners.add(listener)
      return () => this.#listeners.delete(listener)
    },
  }

  constructor({ isKnown = true } = {}) {
    if (isKnown) this.setState({})
  }

  /** How many follow the states. */
  get listeners(): number {
    return this.#listeners.size
  }

  setState(changes: Partial<DeviceState>): void {
    this.#state = { ...(this.#state ?? createDeviceState({ epoch })), ...changes }
    for (const listener of this.#listeners) listener(this.#state)
  }

  /** The device's cable is pulled: the mark comes, then the state. */
  unplug(): void {
    this.sendMark({ n: 0, kind: "closed", reason: "unplugged", open: this.#state?.open })
    this.setState({ online: false, problem: { code: "open_failed", message: "There is no port." } })
  }

  replug(): void {
    this.setState({ online: true, problem: null, open: (this.#state?.open ?? 0) + 1 })
  }

  /** The device sends a text of one-byte characters. */
  send(text: string): void {
    const bytes = Uint8Array.from(Buffer.from(text, "latin1"))
    this.#head += bytes.byteLength
    const offset = this.#head - bytes.byteLength
    this.sendEvent({ kind: "bytes", cursor: this.#place(), offset, timeUs: Date.now() * 1_000, bytes })
  }

  /** The end of being deaf. */
  hearAgain(): void {
    this.isDeaf = false
    this.#news.wake()
  }

  sendMark(mark: Mark): void {
    this.sendEvent({ kind: "mark", cursor: this.#place(), timeUs: Date.now() * 1_000, mark })
  }

  sendEvicted(): void {
    const place = `${epoch}-${this.#head}`
    const gap = { from: place, to: place, bytes: 0, reason: "evicted" } as const
    this.sendEvent({ kind: "gap", cursor: this.#place(), gap })
  }

  sendEvent(event: StreamEvent): void {
    this.#events.push(event)
    this.#news.wake()
  }

  device(): Device {
    const played: Partial<Device> = {
      read: (options) => this.#read(options),
      openWriter: (options) => this.#openWriter(options),
      configure: async (settings, { by, lease }) => {
        await this.#hear({ verb: "configure", settings, by, lease })
        const before = this.#state ?? createDeviceState()
        this.setState({ settings: { ...before.settings, ...settings } })
        return { ...before.settings, ...settings }
      },
      signal: async () => {
        await this.#hear({ verb: "signal" })
        throw new AppError("no_modem_lines", "This port has none.")
      },
      purge: (options) => this.#hear({ verb: "purge", ...options }),
      acquireLease: async ({ by }) => {
        await this.#hear({ verb: "lease", by })
        return this.#createLease(by)
      },
    }
    // The tunnels call no others.
    return played as Device
  }

  whenReady(): Promise<void> {
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  /** Resolves when the agent answers, which one that is deaf does not. */
  async #hear(call: unknown): Promise<void> {
    this.calls.push(call)
    while (this.isDeaf) await this.#news.wait()
  }

  #createLease(holder: string): DeviceLease {
    const release = () => this.#hear({ verb: "release", by: holder })
    const lost = new AbortController().signal
    return { fence: `fence of ${holder}`, holder, lost, release, [Symbol.asyncDispose]: release }
  }

  #place() {
    return { epoch, offset: this.#head, mark: 0 }
  }

  async *#read({ from = { kind: "now" }, signal }: ReadOptions): AsyncGenerator<StreamEvent> {
    if (this.#state === undefined) throw new AppError("unknown_device", "There is no such device.")
    const start = from.kind === "last" ? Math.max(0, this.#head - from.bytes) : this.#head
    let next = this.#events.findIndex(({ cursor }) => (cursor?.offset ?? 0) > start)
    if (next < 0) next = this.#events.length
    yield { kind: "positioned", cursor: { epoch, offset: start, mark: 0 } }
    while (!signal.aborted) {
      const event = this.#events[next]
      if (event === undefined) await this.#news.wait({ signal })
      else {
        next += 1
        if (event.kind === "bytes") this.pulledBytes += event.bytes.byteLength
        yield event
      }
    }
  }

  #openWriter({ by, lease, signal }: WriterOptions): DeviceWriter {
    if (!this.#state?.online) throw new AppError("device_offline", "local/uno is offline.")
    const written: Uint8Array[] = []
    const changed = createWakeup()
    let drained = 0
    let refusal: AppError | null = null
    const refuse = (error: AppError) => {
      refusal ??= error
      changed.wake()
    }
    signal.addEventListener("abort", () => {
      if (!this.isDeaf) refuse(new AppError("cancelled", "It was left."))
    })
    const drain = () => {
      drained = written.length
      changed.wake()
    }
    this.sessions.push({ by, lease, written, drain, refuse })
    const sum = (count: number) =>
      written.slice(0, count).reduce((all, { byteLength }) => all + byteLength, 0)
    const played: Partial<DeviceWriter> = {
      write: async (bytes) => {
        if (refusal !== null) throw refusal
        written.push(bytes)
        if (this.drainsItself) drain()
      },
      async flush() {
        const count = written.length
        while (drained < count && refusal === null) await changed.wait()
        if (drained < count && refusal !== null) throw refusal
        return { bytes: sum(count) }
      },
      [Symbol.asyncDispose]: async () => {
        while (this.isDeaf && drained < written.length) await changed.wait()
      },
    }
    return played as DeviceWriter
  }
}
