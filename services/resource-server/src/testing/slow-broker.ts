import type { BrokerClient, Message, MessageHandler } from "@serialcast/broker-client"
import { AppError, bytesOf, createTopics, type Destination } from "@serialcast/contract"
import { createDeferred, type Deferred } from "@serialcast/primitives"
import type { SeededRandom } from "@serialcast/testkit"

interface Sent {
  readonly destination: Destination
  readonly payload: Uint8Array
  readonly acknowledged: Deferred<void>
}

/**
 * A broker in which everything is on its way until the test lets it go on, one step after the other, at random: what a client
 * sent, what it is to get, acknowledgements. Each client's messages keep their order, as MQTT has it, and nothing else does.
 */
export class SlowBroker {
  readonly topics = createTopics()
  readonly #random: SeededRandom
  readonly #bringsToWildcards: boolean
  readonly #retained = new Map<string, Uint8Array>()
  readonly #clients = new Set<SlowClient>()

  /** Some brokers bring what they keep only to subscriptions without wildcards. */
  constructor(
    random: SeededRandom,
    { bringsToWildcards = true }: { readonly bringsToWildcards?: boolean } = {},
  ) {
    this.#random = random
    this.#bringsToWildcards = bringsToWildcards
  }

  client(clientId: string): SlowClient {
    return new SlowClient(clientId, this)
  }

  /** Lets one thing happen; false: there is nothing on its way. */
  step(): boolean {
    const able = [...this.#clients].flatMap((client) => [
      ...(client.sent.length > 0 ? [() => this.#take(client)] : []),
      ...(client.coming.length > 0 ? [() => client.coming.shift()?.()] : []),
    ])
    const [next] = able.splice(Math.floor(this.#random.next() * able.length), 1)
    next?.()
    return next !== undefined
  }

  join(client: SlowClient): void {
    this.#clients.add(client)
    const kept = [...this.#retained].map(([topic, payload]) => ({ topic, payload, retained: true }))
    // Brokers hand out what they keep in any order.
    kept.sort(() => this.#random.next() - 0.5)
    for (const message of kept)
      if (this.#bringsToWildcards || client.hasExactly(message.topic)) client.deliver(message)
  }

  /** What is kept there goes to a client that has just subscribed to it. */
  bring(client: SlowClient, topic: string): void {
    const payload = this.#retained.get(topic)
    if (payload !== undefined) client.deliver({ topic, payload, retained: true })
  }

  leave(client: SlowClient): void {
    this.#clients.delete(client)
  }

  #take(client: SlowClient): void {
    const sent = client.sent.shift()
    if (sent === undefined) return
    const { topic, retain } = sent.destination
    if (retain && sent.payload.byteLength > 0) this.#retained.set(topic, sent.payload)
    else if (retain) this.#retained.delete(topic)
    for (const each of this.#clients) each.deliver({ topic, payload: sent.payload, retained: false })
    client.coming.push(() => sent.acknowledged.resolve())
  }
}

/** The part of a broker client that a store uses. Its connection comes and goes as the test says. */
export class SlowClient implements BrokerClient {
  readonly clientId: string
  readonly topics
  readonly sent: Sent[] = []
  readonly coming: (() => void)[] = []
  isConnected = false
  readonly #broker: SlowBroker
  readonly #handlers = new Map<string, MessageHandler>()
  readonly #connected = new Set<() => void>()
  readonly #disconnected = new Set<() => void>()
  readonly #replies = new Set<(payload: Uint8Array) => void>()

  constructor(clientId: string, broker: SlowBroker) {
    this.clientId = clientId
    this.topics = broker.topics
    this.#broker = broker
  }

  start(): void {
    this.connect()
  }

  connect(): void {
    if (this.isConnected) return
    this.isConnected = true
    this.#broker.join(this)
    for (const listener of this.#connected) listener()
  }

  /** What is on its way either way is lost, and nobody is told how far it came. */
  cut(): void {
    if (!this.isConnected) return
    this.isConnected = false
    this.#broker.leave(this)
    const lost = new AppError("broker_offline", "The connection was cut.")
    for (const { acknowledged } of this.sent.splice(0)) acknowledged.reject(lost)
    this.coming.length = 0
    for (const { acknowledged } of this.#unacknowledged) acknowledged.reject(lost)
    this.#unacknowledged.clear()
    for (const listener of this.#disconnected) listener()
  }

  readonly #unacknowledged = new Set<Sent>()

  async publish(destination: Destination, payload: Parameters<BrokerClient["publish"]>[1]): Promise<void> {
    if (!this.isConnected) throw new AppError("broker_offline", "There is no connection.")
    const sent = { destination, payload: bytesOf(payload), acknowledged: createDeferred<void>() }
    this.sent.push(sent)
    this.#unacknowledged.add(sent)
    try {
      await sent.acknowledged.promise
    } finally {
      this.#unacknowledged.delete(sent)
    }
  }

  hasExactly(topic: string): boolean {
    return this.#handlers.has(topic)
  }

  deliver(message: Message): void {
    const { topic, payload } = message
    if (topic === this.topics.reply(this.clientId).topic)
      this.coming.push(() => {
        for (const listener of this.#replies) listener(payload)
      })
    const resources = this.topics.filter("resource").topic.slice(0, -1)
    const handler =
      this.#handlers.get(topic) ??
      (topic.startsWith(resources) ? this.#handlers.get(`${resources}#`) : undefined)
    if (handler !== undefined) this.coming.push(() => handler(message))
  }

  async subscribe(filter: Destination, handler: MessageHandler): Promise<() => void> {
    this.#handlers.set(filter.topic, handler)
    if (this.isConnected) this.#broker.bring(this, filter.topic)
    return () => this.#handlers.delete(filter.topic)
  }

  onConnected(listener: () => void): () => void {
    this.#connected.add(listener)
    return () => this.#connected.delete(listener)
  }

  onDisconnected(listener: () => void): () => void {
    this.#disconnected.add(listener)
    return () => this.#disconnected.delete(listener)
  }

  onReply(listener: (payload: Uint8Array) => void): () => void {
    this.#replies.add(listener)
    return () => this.#replies.delete(listener)
  }

  request(): never {
    throw new RangeError("a store makes no calls")
  }

  sendAgain(): void {}

  async close(): Promise<void> {
    this.cut()
  }
}
