import type { LocalBroker, Message, MessageHandler } from "@serialcast/broker-client"
import { AppError, type Destination } from "@serialcast/contract"
import type { Aedes, AedesPublishPacket, AuthorizePublishHandler, PublishPacket } from "aedes"

interface RetainedStore {
  createRetainedStream(filter: string): AsyncIterable<PublishPacket>
}

/** The broker as the other services of this process use it. The rules for publications are those of everyone. */
export function createLocalBroker(
  aedes: Aedes,
  judge: AuthorizePublishHandler,
): LocalBroker & { close(): void } {
  const closedListeners = new Set<() => void>()
  return {
    async publish({ topic, qos, retain }, payload) {
      if (aedes.closed) throw new AppError("broker_offline", "The broker was closed.")
      const packet = await judged(judge, toPacket({ topic, qos, retain }, payload))
      await new Promise<void>((resolve, reject) =>
        aedes.publish(packet, (error) => (error ? reject(error) : resolve())),
      )
    },
    subscribe(filter, handler) {
      let isOver = false
      const hand = (message: Message) => {
        if (!isOver) handler(message)
      }
      const deliver = (packet: AedesPublishPacket, done: () => void) => {
        // A handler that publishes must not find itself in the middle of another publication.
        queueMicrotask(() => hand(toMessage(packet, false)))
        done()
      }
      aedes.subscribe(filter, deliver, () => {})
      void handRetained(aedes, filter, hand)
      return () => {
        isOver = true
        aedes.unsubscribe(filter, deliver, () => {})
      }
    },
    onClosed(listener) {
      closedListeners.add(listener)
      return () => closedListeners.delete(listener)
    },
    close() {
      for (const listener of closedListeners) listener()
    },
  }
}

async function handRetained(aedes: Aedes, filter: string, handler: MessageHandler): Promise<void> {
  // Its types leave the store out.
  const { persistence } = aedes as Aedes & { readonly persistence: RetainedStore }
  for await (const packet of persistence.createRetainedStream(filter)) handler(toMessage(packet, true))
}

function judged(judge: AuthorizePublishHandler, packet: PublishPacket): Promise<PublishPacket> {
  return new Promise((resolve, reject) =>
    judge(null, packet, (error) => (error ? reject(error) : resolve(packet))),
  )
}

function toPacket({ topic, qos, retain }: Destination, payload: Uint8Array): PublishPacket {
  // Packets for connections are written from Buffers.
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  return { cmd: "publish", dup: false, topic, qos, retain, payload: bytes }
}

function toMessage({ topic, payload }: PublishPacket, retained: boolean): Message {
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload
  return { topic, payload: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), retained }
}
