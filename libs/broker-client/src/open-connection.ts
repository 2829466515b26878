import type { Duplex } from "node:stream"
import { AppError, bytesOf, type Destination, maxPublishedBytes, type Payload } from "@serialcast/contract"
import { type Clock, createDeferred, Gate } from "@serialcast/primitives"
import { ErrorWithSubackPacket, MqttClient } from "mqtt"
import { type BrokerClientOptions, type MessageHandler, maxPendingBytes } from "./client.ts"
import { openLocalConnection } from "./local-connection.ts"

const keepaliveSeconds = 30
const subscribeTimeoutMs = 10_000

/** What a waiting publication costs beside its payload, roughly: so that empty ones are bounded too. */
const publicationCostBytes = 256

/** MQTT 3.1.1 §3.9.3: the return code of a refused subscription. */
const subscriptionRefused = 128

/**
 * One connection to the broker, from CONNECT to its end. Never reconnects: each attempt gets a new MQTT client, so that
 * nothing of an old connection (queues, packet ids, half-sent publications) can reach a new one.
 */
export interface Connection {
  /** Resolves after CONNACK; rejects with `broker_offline` when the broker cannot be reached or refuses. */
  readonly connected: Promise<void>
  /** Resolves with the reason when the connection is over. */
  readonly ended: Promise<string>
  readonly isOver: boolean
  publish(destination: Destination, payload: Payload): Promise<void>
  /**
   * Throws `unauthorized` when the broker refuses a filter, `broker_offline` when the connection is over. A broker that
   * does not answer within 10 s is cut.
   */
  subscribe(filters: readonly Destination[]): Promise<void>
  unsubscribe(filter: Destination): void
  /** Ends the connection in an orderly way: the will is not sent. */
  close(): Promise<void>
  /** Ends it at once, as if the network had. */
  cut(): void
}

export interface ConnectionDeps {
  readonly clock: Clock
  readonly onMessage: MessageHandler
}

export function openConnection(options: BrokerClientOptions, deps: ConnectionDeps): Connection {
  if ("localBroker" in options) return openLocalConnection(options.localBroker, options, deps.onMessage)
  return openMqttConnection(startMqtt(options), deps)
}

function openMqttConnection({ mqtt, cut }: StartedMqtt, { clock, onMessage }: ConnectionDeps): Connection {
  const publications = new Publications(mqtt)
  // A SUBSCRIBE right behind the UNSUBSCRIBE of the same filter was granted by aedes, which handles a connection's packets side
  // by side, and then taken away by the other (measured).
  const turns = new Gate({ maxRunning: 1 })
  const connected = createDeferred<void>()
  const ended = createDeferred<string>()
  let lastError = "the connection was closed"
  let isOver = false
  mqtt.on("connect", () => connected.resolve())
  mqtt.on("error", (error) => {
    lastError = describe(error)
  })
  mqtt.on("close", () => {
    isOver = true
    const error = new AppError("broker_offline", lastError)
    connected.reject(error)
    publications.rejectAll(error)
    ended.resolve(lastError)
  })
  // Those who wait for their turn would wait for ever: a new connection subscribes anew.
  const inTurn = (work: () => Promise<void>) =>
    turns.run(async () => {
      if (isOver) throw new AppError("broker_offline", lastError)
      using _deadline = clock.startTimer(subscribeTimeoutMs, () => {
        lastError = `the broker did not answer a subscription within ${subscribeTimeoutMs / 1000} s`
        cut()
      })
      await work()
    })
  mqtt.handleMessage = ({ topic, payload, retain }, done) => {
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : viewOf(payload)
    onMessage({ topic, payload: bytes, retained: retain })
    done()
  }
  return {
    connected: connected.promise,
    ended: ended.promise,
    get isOver() {
      return isOver
    },
    async publish(destination, payload) {
      // The MQTT client would keep a QoS 1 message for a next connection, which never comes.
      if (isOver) throw new AppError("broker_offline", lastError)
      await publications.add(destination, checkSize(destination, bytesOf(payload)))
    },
    async subscribe(filters) {
      if (filters.length > 0) await inTurn(() => subscribe(mqtt, filters))
    },
    unsubscribe(filter) {
      // Best effort: a connection that dies takes its subscriptions with it.
      inTurn(async () => void (await mqtt.unsubscribeAsync(filter.topic))).catch(() => {})
    },
    async close() {
      mqtt.end(false)
      await ended.promise
    },
    cut,
  }
}

interface StartedMqtt {
  readonly mqtt: MqttClient
  readonly cut: () => void
}

type MqttOptions = Extract<BrokerClientOptions, { readonly openStream: unknown }>

function startMqtt(options: MqttOptions): StartedMqtt {
  const { clientId, credentials, will, openStream } = options
  const stream: Duplex = openStream()
  // Its close event may be over already, and would be waited for.
  if (stream.destroyed) throw new AppError("broker_offline", "the connection was closed before it began")
  const mqtt = new MqttClient(() => stream, {
    clientId,
    clean: true,
    protocolVersion: 4,
    keepalive: keepaliveSeconds,
    // Reconnecting is the owner's, with back-off and a new client; mqtt's own would replay what it had queued.
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    ...credentials,
    ...(will === undefined
      ? {}
      : {
          will: {
            topic: will.destination.topic,
            payload: bufferOf(will.payload),
            qos: will.destination.qos,
            retain: will.destination.retain,
          },
        }),
  })
  // Not mqtt.end(true): after an end(false) that the broker does not answer, it does nothing.
  return { mqtt, cut: () => stream.destroy() }
}

/** Throws `too_large` for what some brokers would end the connection for, and everything on it. */
function checkSize({ topic }: Destination, payload: Uint8Array): Uint8Array {
  if (payload.byteLength <= maxPublishedBytes) return payload
  const message = `A message of ${payload.byteLength} bytes for ${topic} is more than brokers are asked to take, ${maxPublishedBytes}.`
  throw new AppError("too_large", message)
}

/** Publications that the connection has not taken yet, bounded in bytes. */
class Publications {
  readonly #mqtt: MqttClient
  readonly #unsettled = new Set<(error: Error | null) => void>()
  #pendingBytes = 0

  constructor(mqtt: MqttClient) {
    this.#mqtt = mqtt
  }

  /** Resolves when the connection took the message (QoS 0) or the broker has it (QoS 1). */
  add({ topic, qos, retain }: Destination, payload: Uint8Array): Promise<void> {
    const costBytes = publicationCostBytes + payload.byteLength
    if (this.#pendingBytes + costBytes > maxPendingBytes) {
      const message = `More than ${maxPendingBytes} bytes wait for the broker connection.`
      return Promise.reject(new AppError("overloaded", message))
    }
    this.#pendingBytes += costBytes
    return new Promise<void>((resolve, reject) => {
      const settle = (error: Error | null) => {
        if (!this.#unsettled.delete(settle)) return
        this.#pendingBytes -= costBytes
        if (error === null) resolve()
        else reject(asOffline(error))
      }
      // The QoS 0 callback waits for the stream's drain, which never comes when the connection dies: hence the set.
      this.#unsettled.add(settle)
      this.#mqtt.publish(topic, bufferOf(payload), { qos, retain }, (error) => settle(error ?? null))
    })
  }

  rejectAll(error: AppError): void {
    for (const settle of this.#unsettled) settle(error)
  }
}

async function subscribe(mqtt: MqttClient, filters: readonly Destination[]): Promise<void> {
  try {
    await mqtt.subscribeAsync(Object.fromEntries(filters.map(({ topic, qos }) => [topic, { qos }])))
  } catch (error) {
    // When the connection died meanwhile, there is no packet, whatever the type says.
    const granted = (error instanceof ErrorWithSubackPacket && error.packet?.granted) || []
    const refused = filters.filter((_, at) => granted[at] === subscriptionRefused)
    if (refused.length === 0) throw asOffline(error)
    const topics = refused.map(({ topic }) => topic).join(", ")
    throw new AppError("unauthorized", `The broker refused the subscription to ${topics}.`, { cause: error })
  }
}

function asOffline(error: unknown): AppError {
  if (error instanceof AppError) return error
  return new AppError("broker_offline", error instanceof Error ? describe(error) : String(error), {
    cause: error,
  })
}

// The MQTT client takes strings and Buffers only.
function bufferOf(bytes: Uint8Array) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function viewOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function describe(error: Error): string {
  // A failed dual-stack connect is an AggregateError with an empty message.
  if (error instanceof AggregateError) return error.errors.map((inner: Error) => inner.message).join("; ")
  return error.message
}
