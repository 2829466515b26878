/*
 *   publish ─→ rules ─→ anybody else? ── no ──────────────→ subscribers of this process
 *                            └─ yes, or it is to be kept ─→ aedes ─→ clients of the network, subscribers of this process
 */
import type { LocalBroker, Message, MessageHandler } from "@serialcast/broker-client"
import { AppError, bytesOf, type Destination, type Parcel, type Payload } from "@serialcast/contract"
import type { Aedes, AedesPublishPacket, PublishPacket } from "aedes"
import type { TakePublication } from "./hooks.ts"
import type { Routes } from "./routes.ts"

interface RetainedReader {
  createRetainedStream(filter: string): AsyncIterable<PublishPacket>
}

export interface LocalBrokerDeps {
  /** The rules of everyone's publications; they answer at once, and their refusal is thrown. */
  readonly take: TakePublication
  readonly routes: Routes
}

const nothing = new Uint8Array(0)

/** The broker as the other services of this process use it. The rules for publications are those of everyone. */
export function createLocalBroker(aedes: Aedes, deps: LocalBrokerDeps): LocalBroker & { close(): void } {
  const closedListeners = new Set<() => void>()
  return {
    publish: createPublish(aedes, deps),
    subscribe: (filter, handler) => subscribe(aedes, deps.routes, { filter, handler }),
    onClosed(listener) {
      closedListeners.add(listener)
      return () => closedListeners.delete(listener)
    },
    close() {
      for (const listener of closedListeners) listener()
    },
  }
}

function createPublish(aedes: Aedes, { take, routes }: LocalBrokerDeps): LocalBroker["publish"] {
  /** Publications that aedes has not handed on yet: later ones must not overtake them. */
  let onTheirWay = 0

  async function publishToAll(destination: Destination, payload: Payload): Promise<void> {
    onTheirWay++
    try {
      const packet = toPacket(destination, bytesOf(payload))
      // Its delivery waits for no disk.
      const kept = take(packet)
      await new Promise<void>((resolve, reject) =>
        aedes.publish(packet, (error) => (error ? reject(error) : resolve())),
      )
      if ((await kept) === false) throw new AppError("retained_failed", "The disk did not take the message.")
    } finally {
      onTheirWay--
    }
  }

  return async (destination, payload) => {
    if (aedes.closed) throw new AppError("broker_offline", "The broker was closed.")
    const { topic, qos, retain } = destination
    const { here, isWantedElsewhere } = routes.find(topic)
    if (retain || qos > 0 || isWantedElsewhere || onTheirWay > 0)
      return await publishToAll(destination, payload)
    // Not retained: there is nothing to wait for.
    void take(toPacket(destination, nothing))
    if (here.length === 0) return
    const message = new HandedMessage(topic, payload)
    // A handler that publishes must not find itself in the middle of another publication.
    queueMicrotask(() => {
      for (const { hand } of here) hand(message)
    })
  }
}

function subscribe(
  aedes: Aedes,
  routes: Routes,
  { filter, handler }: { readonly filter: string; readonly handler: MessageHandler },
): () => void {
  let isOver = false
  const hand = (message: Message) => {
    if (!isOver) handler(message)
  }
  const deliver = (packet: AedesPublishPacket, done: () => void) => {
    queueMicrotask(() => hand(toMessage(packet, false)))
    done()
  }
  const subscriber = { filter, hand }
  routes.add(subscriber)
  aedes.subscribe(filter, deliver, () => {})
  void handRetained(aedes, filter, hand)
  return () => {
    isOver = true
    routes.delete(subscriber)
    aedes.unsubscribe(filter, deliver, () => {})
  }
}

/** A message that went through nobody's hands: its bytes are made when the first one asks for them. */
class HandedMessage implements Message {
  readonly topic: string
  readonly parcel: Parcel | undefined
  readonly retained = false
  #payload: Uint8Array | undefined

  constructor(topic: string, payload: Payload) {
    this.topic = topic
    if (payload instanceof Uint8Array) this.#payload = payload
    else this.parcel = payload
  }

  get payload(): Uint8Array {
    this.#payload ??= this.parcel?.encode() ?? nothing
    return this.#payload
  }
}

async function handRetained(aedes: Aedes, filter: string, handler: MessageHandler): Promise<void> {
  // Its types leave the store out.
  const { persistence } = aedes as Aedes & { readonly persistence: RetainedReader }
  for await (const packet of persistence.createRetainedStream(filter)) handler(toMessage(packet, true))
}

function toPacket({ topic, qos, retain }: Destination, bytes: Uint8Array): PublishPacket {
  // Packets for connections are written from Buffers.
  const payload = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return { cmd: "publish", dup: false, topic, qos, retain, payload }
}

function toMessage({ topic, payload }: PublishPacket, retained: boolean): Message {
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload
  return { topic, payload: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), retained }
}
