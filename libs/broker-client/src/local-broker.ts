import type { Destination, Payload } from "@serialcast/contract"
import type { MessageHandler } from "./client.ts"

/**
 * A broker in this process, used without a connection: messages are handed over as they are, with nothing encoded,
 * copied or queued on the way, as long as nobody else wants them. A round trip over a connection in memory cost some 200 µs more (measured).
 */
export interface LocalBroker {
  /** Resolves when the broker handed the message on. Throws `broker_offline` when it is closed. */
  publish(destination: Destination, payload: Payload): Promise<void>
  /**
   * Hands `handler` what is published on `filter`, and what the broker kept. Later than in the stack of whoever
   * publishes, and in order. Answers the function that ends it.
   */
  subscribe(filter: string, handler: MessageHandler): () => void
  /** Calls `listener` when the broker closes; answers the function that forgets it. */
  onClosed(listener: () => void): () => void
}
