/*
 *   Board ─→ write ─→ DeviceWriter, under the lease ─→ device
 *         ←─ read  ←─ device.read() from now         ←─┘
 *              ↑ a gap, a closed port or a lost lease ends it
 */
import { AppError, type Gap, type Mark } from "@serialcast/contract"
import type { Device, DeviceLease, DeviceWriter, StreamEvent } from "@serialcast/device-stream"
import type { Wire } from "@serialcast/micropython"
import { type Clock, delay, unlessAborted } from "@serialcast/primitives"

export interface DeviceWireOptions {
  readonly device: Pick<Device, "read" | "openWriter">
  readonly lease: Pick<DeviceLease, "fence" | "lost">
  /** The principal who writes. */
  readonly by: string
  readonly clock: Clock
}

/**
 * The wire to a board through its device's stream: bytes come in order and none is missing, or it ends with what is wrong:
 * `device_offline`, `lease_lost`, or `bytes_missing`. Disposing it takes back what was not sent.
 */
export class DeviceWire implements Wire, AsyncDisposable {
  readonly #options: DeviceWireOptions
  readonly #ending = new AbortController()
  readonly #events: AsyncIterator<StreamEvent>
  readonly #writer: DeviceWriter
  /** What is asked for and has not come yet: a wait that is over does not lose it. */
  #next: Promise<Uint8Array> | null = null

  private constructor(options: DeviceWireOptions) {
    const { device, lease, by } = options
    const { signal } = this.#ending
    this.#options = options
    this.#events = device.read({ from: { kind: "now" }, signal })[Symbol.asyncIterator]()
    this.#writer = device.openWriter({ by, lease: lease.fence, signal })
  }

  /** Resolves when nothing that the board says from now on can be missed. Throws `device_offline`. */
  static async open(options: DeviceWireOptions): Promise<DeviceWire> {
    const wire = new DeviceWire(options)
    // The first event, which comes within a second, tells the place.
    await wire.#events.next()
    return wire
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#writer.write(bytes)
  }

  async read(waitMs: number): Promise<Uint8Array | null> {
    const { clock, lease } = this.#options
    this.#next ??= this.#take()
    const waiting = new AbortController()
    const { signal } = waiting
    try {
      const overdue = delay(clock, waitMs, signal).then(() => null)
      const bytes = await unlessAborted(Promise.race([this.#next, overdue]), lease.lost, () =>
        Promise.reject(lost()),
      )
      if (bytes !== null) this.#next = null
      return bytes
    } finally {
      waiting.abort()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort()
    // Between two events the reading looks at no signal.
    await this.#events.return?.()
    await this.#writer[Symbol.asyncDispose]()
  }

  /** The next bytes. */
  async #take(): Promise<Uint8Array> {
    for (;;) {
      const { done, value } = await this.#events.next()
      if (done === true) throw new AppError("device_offline", "The conversation with the board was ended.")
      if (value.kind === "bytes") return value.bytes
      const problem =
        value.kind === "mark" ? problemOf(value.mark) : value.kind === "gap" ? missing(value.gap) : null
      if (problem !== null) throw problem
    }
  }
}

/** What ends a conversation. */
function problemOf(mark: Mark): AppError | null {
  switch (mark.kind) {
    case "closed":
      return new AppError("device_offline", `The board's port was closed: ${mark.reason}.`)
    case "opened":
      return new AppError("device_offline", "The board's port was opened anew; whatever it did is over.")
    case "released":
      return mark.reason === "released" ? null : lost()
    case "overrun":
      return new AppError("bytes_missing", "The board sent faster than its port was read.")
    default:
      return null
  }
}

function lost(): AppError {
  return new AppError("lease_lost", "Somebody else took the board meanwhile.")
}

function missing({ bytes }: Gap): AppError {
  const size = bytes === null ? "Bytes" : `${bytes} bytes`
  return new AppError("bytes_missing", `${size} of what the board said could not be had.`)
}
