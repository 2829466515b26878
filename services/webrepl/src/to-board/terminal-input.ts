import { AppError, type DeviceState, type ErrorCode, toAppError } from "@serialcast/contract"
import type { DeviceClient, DeviceWriter } from "@serialcast/device-stream"
import { ByteQueue } from "@serialcast/primitives"
import type { Transfers } from "../session/transfers.ts"

/** What may be typed while a transfer has the board, in bytes: the client is read on, as the transfer's bytes come from it too. */
const maxHeldBytes = 4_096

export interface TerminalInputOptions {
  /** `<gateway>/<device>` */
  readonly address: string
  readonly devices: DeviceClient
  /** The principal who writes. */
  readonly by: string
  /** While one runs, what is typed waits. */
  readonly transfers: Transfers
  /** Typed bytes were not written; told once for each reason until something is written again. */
  readonly onRefused: (error: AppError) => void
  /** The client is gone. */
  readonly signal: AbortSignal
}

/**
 * What one client types, to the board, at its pace. Each opening of the port has a session of writes of its own: what was
 * typed for a board that is gone never reaches the next.
 */
export class TerminalInput implements AsyncDisposable {
  readonly #options: TerminalInputOptions
  #writer: { readonly session: DeviceWriter; readonly opening: string } | null = null
  #refusedFor: ErrorCode | null = null
  /** Typed during a transfer. */
  readonly #held = new ByteQueue()
  /** There was no room for a part of it: what follows would mean something else. */
  #hasDropped = false
  readonly #forget: () => void
  #lastTurn: Promise<void> = Promise.resolve()

  constructor(options: TerminalInputOptions) {
    this.#options = options
    this.#forget = options.transfers.onChange(() => this.#release())
  }

  /** Resolves when the bytes are on their way, wait for the end of a transfer, or were refused. */
  async write(bytes: Uint8Array): Promise<void> {
    if (!this.#options.transfers.isRunning) return await this.#inTurn(bytes)
    this.#hasDropped ||= this.#held.byteLength + bytes.byteLength > maxHeldBytes
    if (!this.#hasDropped) return this.#held.push(bytes)
    this.#tell(
      new AppError("overloaded", "A transfer has the board; what is typed until its end is thrown away."),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#forget()
    await this.#leave()
  }

  #release(): void {
    if (this.#options.transfers.isRunning) return
    this.#hasDropped = false
    if (this.#held.byteLength > 0) void this.#inTurn(this.#held.takeAll())
  }

  #inTurn(bytes: Uint8Array): Promise<void> {
    this.#lastTurn = this.#lastTurn.then(() => this.#writeNow(bytes))
    return this.#lastTurn
  }

  async #writeNow(bytes: Uint8Array): Promise<void> {
    if (this.#options.signal.aborted || bytes.byteLength === 0) return
    try {
      const session = this.#session()
      await session.write(bytes)
      void this.#settle(session)
    } catch (error) {
      this.#refused(toAppError(error))
    }
  }

  #session(): DeviceWriter {
    const { address, devices, by, signal } = this.#options
    const state = devices.devices.get(address)
    const opening = state === undefined ? "" : openingOf(state)
    if (this.#writer?.opening === opening) return this.#writer.session
    void this.#leave()
    const session = devices.device(address).openWriter({ by, signal })
    this.#writer = { session, opening }
    return session
  }

  /** Learns what came of it. */
  async #settle(session: DeviceWriter): Promise<void> {
    try {
      await session.flush()
      this.#refusedFor = null
    } catch (error) {
      // Of a session that was left already, the loss was told.
      if (this.#writer?.session === session) this.#refused(toAppError(error))
    }
  }

  #refused(error: AppError): void {
    void this.#leave()
    this.#tell(error)
  }

  #tell(error: AppError): void {
    if (this.#options.signal.aborted || this.#refusedFor === error.code) return
    this.#refusedFor = error.code
    this.#options.onRefused(error)
  }

  /**
   * Takes back what has no receipt; resolves when each has an answer, which is late when the agent is away. The next session
   * does not wait for that: its calls come behind those that take back.
   */
  async #leave(): Promise<void> {
    const left = this.#writer
    this.#writer = null
    await left?.session[Symbol.asyncDispose]()
  }
}

function openingOf({ epoch, open }: DeviceState): string {
  return `${epoch}/${open}`
}
