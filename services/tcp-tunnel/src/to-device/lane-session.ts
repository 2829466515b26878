import { AppError, toAppError } from "@serialcast/contract"
import type { DeviceWriter } from "@serialcast/device-stream"
import { type Clock, createWakeup, within } from "@serialcast/primitives"
import type { Opening } from "./openings.ts"

/** What taking back may take, in milliseconds: an agent that is away answers nothing. */
const takeBackMs = 500

export interface LaneSessionOptions {
  /** Begins when the session does; its signal is `leave`'s. */
  readonly openWriter: (signal: AbortSignal) => DeviceWriter
  readonly opening: Opening
  /** The fence that its writes are made with. */
  readonly lease: string | undefined
  readonly clock: Clock
  readonly onTaken: (bytes: number) => void
  /** The session is over: so many bytes of it have no receipt. */
  readonly onEnded: (bytes: number, error: AppError) => void
}

/** One client's writes to one opening of the port, with an account of what the device has of them. */
export class LaneSession {
  readonly #options: LaneSessionOptions
  readonly #leaving = new AbortController()
  readonly #writer: DeviceWriter
  #given = 0
  #taken = 0
  #ended: AppError | null = null
  readonly #settled = createWakeup()

  /** Throws `device_offline`, or as the writer does. */
  constructor(options: LaneSessionOptions) {
    this.#options = options
    this.#writer = options.openWriter(this.#leaving.signal)
  }

  /** Whether these writes are of this session. */
  isFor(opening: Opening, lease: string | undefined): boolean {
    return this.#options.opening === opening && this.#options.lease === lease
  }

  /** Bytes that the device may still get. */
  get pendingBytes(): number {
    return this.#ended === null ? this.#given - this.#taken : 0
  }

  /** Resolves when the bytes are on their way, or the session has ended. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#given += bytes.byteLength
    try {
      await this.#writer.write(bytes)
    } catch (error) {
      return this.#end(toAppError(error))
    }
    void this.#account()
  }

  /** Resolves when all has a receipt, or the session has ended: soon after it is left, whoever answers. */
  async flush(): Promise<void> {
    while (this.pendingBytes > 0) await this.#settled.wait()
  }

  /** Takes back what has no receipt. */
  async leave(): Promise<void> {
    this.#leaving.abort()
    await within(Promise.resolve(this.#writer[Symbol.asyncDispose]()), {
      clock: this.#options.clock,
      timeoutMs: takeBackMs,
    })
    if (this.pendingBytes > 0)
      this.#end(new AppError("cancelled", "They were taken back; what came of them is unknown."))
  }

  async #account(): Promise<void> {
    try {
      const { bytes } = await this.#writer.flush()
      if (bytes <= this.#taken || this.#ended !== null) return
      const more = bytes - this.#taken
      this.#taken = bytes
      this.#options.onTaken(more)
      this.#settled.wake()
    } catch (error) {
      this.#end(toAppError(error))
    }
  }

  #end(error: AppError): void {
    if (this.#ended !== null) return
    this.#ended = error
    this.#options.onEnded(this.#given - this.#taken, error)
    this.#settled.wake()
  }
}
