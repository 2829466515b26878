import { AppError, type Destination } from "@serialcast/contract"
import { createDeferred } from "@serialcast/primitives"
import type { BrokerClientOptions, MessageHandler } from "./client.ts"
import type { LocalBroker } from "./local-broker.ts"
import type { Connection } from "./open-connection.ts"

/** A connection on a broker in this process. It stands at once, and ends with the broker. */
export function openLocalConnection(
  broker: LocalBroker,
  { will }: Pick<BrokerClientOptions, "will">,
  onMessage: MessageHandler,
): Connection {
  const ended = createDeferred<string>()
  const unsubscribes = new Map<string, () => void>()
  let isOver = false
  const forget = broker.onClosed(() => end("the broker was closed"))
  return {
    connected: Promise.resolve(),
    ended: ended.promise,
    get isOver() {
      return isOver
    },
    async publish(destination, payload) {
      if (isOver) throw new AppError("broker_offline", "The connection is over.")
      await broker.publish(destination, payload)
    },
    async subscribe(filters: readonly Destination[]) {
      if (isOver) throw new AppError("broker_offline", "The connection is over.")
      for (const { topic } of filters) {
        unsubscribes.get(topic)?.()
        unsubscribes.set(topic, broker.subscribe(topic, onMessage))
      }
    },
    unsubscribe({ topic }) {
      unsubscribes.get(topic)?.()
      unsubscribes.delete(topic)
    },
    async close() {
      end("closed")
    },
    cut() {
      if (isOver) return
      // As a broker does for a client whose connection breaks; with the broker gone there is nobody to tell.
      if (will !== undefined) broker.publish(will.destination, will.payload).catch(() => {})
      end("cut")
    },
  }

  function end(reason: string): void {
    if (isOver) return
    isOver = true
    forget()
    for (const unsubscribe of unsubscribes.values()) unsubscribe()
    ended.resolve(reason)
  }
}
