import { type AppError, toAppError } from "@serialcast/contract"
import type { DeviceWriter } from "@serialcast/device-stream"
import type { Clock } from "@serialcast/primitives"
import { LaneSession } from "../to-device/lane-session.ts"

export interface LineWriterOptions {
  /** Begins a session of writes; aborting its signal takes back what has no receipt. */
  readonly openWriter: (signal: AbortSignal) => DeviceWriter
  readonly clock: Clock
  /** The device does not take everything that was written. Called once; nothing is written afterwards. */
  readonly onFailed: (error: AppError) => void
}

/** What goes out by the line, in the order of the calls, for one opening of its port. */
export class LineWriter {
  readonly #options: LineWriterOptions
  #session: LaneSession | null = null
  #lastTurn: Promise<void> = Promise.resolve()
  /** Writes that wait for their turn. */
  #waiting = 0
  /** Counts discards: what was written before one and still waits is dropped. */
  #discards = 0
  #isFailed = false

  constructor(options: LineWriterOptions) {
    this.#options = options
  }

  /** Something that was written has not left yet. */
  get isBusy(): boolean {
    return this.#waiting > 0 || (this.#session?.pendingBytes ?? 0) > 0
  }

  /** Resolves when the bytes are on their way, which is the back-pressure, or dropped. Never rejects. */
  write(bytes: Uint8Array): Promise<void> {
    const discards = this.#discards
    this.#waiting += 1
    return this.#inTurn(async () => {
      this.#waiting -= 1
      if (discards === this.#discards && !this.#isFailed) await this.#present().write(bytes)
    })
  }

  /** Resolves when everything written has left by the line, or the line has failed. */
  async drained(): Promise<void> {
    await this.#lastTurn
    await this.#session?.flush()
  }

  /** Takes back what has not left; what follows is written when the device has answered that. */
  discard(): void {
    if (!this.isBusy) return
    this.#discards += 1
    // Ahead of the turns: the one whose write waits for room ends with the session.
    const left = this.#session?.leave()
    this.#session = null
    void this.#inTurn(async () => await left)
  }

  /** Takes back what has not left; resolves when the device has answered that, or does not. */
  async close(): Promise<void> {
    this.#isFailed = true
    await this.#session?.leave()
    await this.#lastTurn
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    // Only beginning a session throws: the device is away.
    const turn = this.#lastTurn.then(work).catch((error: unknown) => this.#fail(toAppError(error)))
    this.#lastTurn = turn
    return turn
  }

  #present(): LaneSession {
    if (this.#session !== null) return this.#session
    const { openWriter, clock } = this.#options
    const session: LaneSession = new LaneSession({
      openWriter,
      opening: "",
      lease: undefined,
      clock,
      onTaken: () => {},
      onEnded: (_, error) => {
        if (session === this.#session) this.#fail(error)
      },
    })
    this.#session = session
    return session
  }

  #fail(error: AppError): void {
    if (this.#isFailed) return
    this.#isFailed = true
    this.#options.onFailed(error)
  }
}
