import {
  AppError,
  bytesOf,
  createTopics,
  type Destination,
  decodeStreamMessage,
  isMarkRecord,
  type Payload,
  type StreamMessage,
} from "@serialcast/contract"
import { createWakeup } from "@serialcast/primitives"

export const address = { gateway: "local", device: "uno" }
const topics = createTopics()

/** A broker connection whose state and speed the test sets. */
export class PlayedConnection {
  readonly topics = topics
  readonly published: { readonly topic: string; readonly payload: Uint8Array }[] = []
  isConnected = true
  /** What refuses the next publications. */
  refusal: AppError | null = null
  attempts = 0
  #isHeld = false
  readonly #released = createWakeup()
  readonly #listeners = new Set<() => void>()

  onConnected(listener: () => void): () => void {
    this.#listeners.add(listener)
    if (this.isConnected) listener()
    return () => this.#listeners.delete(listener)
  }

  async publish({ topic }: Destination, payload: Payload): Promise<void> {
    this.attempts++
    if (!this.isConnected) throw new AppError("broker_offline", "There is no broker connection.")
    if (this.refusal !== null) throw this.refusal
    this.published.push({ topic, payload: bytesOf(payload) })
    if (this.#isHeld) await this.#released.wait()
    if (!this.isConnected) throw new AppError("broker_offline", "cut")
  }

  /** From now on nothing is taken, as by a broker that is slow. */
  hold(): void {
    this.#isHeld = true
  }

  release(): void {
    this.#isHeld = false
    this.#released.wake()
  }

  cut(): void {
    this.isConnected = false
    this.release()
  }

  connect(): void {
    this.isConnected = true
    for (const listener of this.#listeners) listener()
  }

  messages(stream: "rx" | "tx" = "rx"): StreamMessage[] {
    return this.published
      .filter(({ topic }) => topic === topics.device("stream", address).topic)
      .map(({ payload }) => decodeStreamMessage(payload))
      .filter((message) => message.stream === stream)
  }

  /** Each message as `offset+length`, or as its mark's kind. */
  shape(stream: "rx" | "tx" = "rx"): string[] {
    return this.messages(stream).map(({ record }) =>
      isMarkRecord(record) ? record.mark.kind : `${record.offset}+${record.bytes.byteLength}`,
    )
  }
}
