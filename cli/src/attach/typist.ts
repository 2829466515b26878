import { toAppError } from "@serialcast/contract"
import type { Device, DeviceWriter } from "@serialcast/device-stream"

export interface TypistOptions {
  readonly device: Pick<Device, "openWriter">
  readonly by: string
  readonly lease: string | undefined
  /** Takes back what was not sent yet. */
  readonly signal: AbortSignal
  /** Is told, once for each new reason, that typed bytes were refused. */
  readonly onRefused: (line: string) => void
}

/**
 * Sends what is typed, in order, at the device's pace. A refusal (the device is away, somebody else has the lease) ends
 * a session of writes; the next key begins a new one.
 */
export class Typist {
  readonly #options: TypistOptions
  #writer: DeviceWriter | undefined
  #refusal: string | undefined

  constructor(options: TypistOptions) {
    this.#options = options
  }

  /** Resolves when there is room for more. */
  async type(bytes: Uint8Array): Promise<void> {
    const { device, by, lease, signal } = this.#options
    try {
      this.#writer ??= device.openWriter({ by, lease, signal })
      await this.#writer.write(bytes)
    } catch (error) {
      return this.#giveUp(this.#writer, error)
    }
    // A refusal comes later; nobody would hear of it before the next key.
    void this.#flush(this.#writer)
  }

  /** Resolves when all that was typed was sent or refused. */
  async finish(): Promise<void> {
    if (this.#writer !== undefined) await this.#flush(this.#writer)
  }

  async #flush(writer: DeviceWriter): Promise<void> {
    try {
      await writer.flush()
      this.#refusal = undefined
    } catch (error) {
      this.#giveUp(writer, error)
    }
  }

  #giveUp(writer: DeviceWriter | undefined, error: unknown): void {
    if (this.#writer !== writer) return
    this.#writer = undefined
    void writer?.[Symbol.asyncDispose]()
    const { message } = toAppError(error)
    if (message === this.#refusal) return
    this.#refusal = message
    this.#options.onRefused(`not sent: ${message}`)
  }
}
