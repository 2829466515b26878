/*
 *   publish, subscribe, request ─→ Connection (one per connection) ─→ MQTT ─→ broker
 *   handlers ←─ Subscriptions ←──────────┘
 *   replies  ←─ PendingCalls  ←──────────┘     a loop opens the next connection with back-off and jitter
 */
import { AppError, bytesOf, isName } from "@serialcast/contract"
import { createBackoff, delay, msSince, withDeadline } from "@serialcast/primitives"
import { PendingCalls } from "./calls.ts"
import type { BrokerClient, BrokerClientDeps, BrokerClientOptions } from "./client.ts"
import { type Connection, openConnection } from "./open-connection.ts"
import { Subscriptions } from "./subscriptions.ts"

const connectTimeoutMs = 10_000
/** For subscriptions and birth, which may ask around first. */
const setUpTimeoutMs = 30_000
const closeTimeoutMs = 2_000
const maxBackoffMs = 5_000

/** A client that is not connected yet: subscribe what must not be missed, then `start` it. */
export function createBrokerClient(options: BrokerClientOptions, deps: BrokerClientDeps): BrokerClient {
  if (!isName(options.clientId)) throw new RangeError(`client id ${options.clientId} is not a contract name`)
  return new ReconnectingClient(options, deps)
}

class ReconnectingClient implements BrokerClient {
  readonly clientId: string
  readonly topics: BrokerClient["topics"]
  readonly #options: BrokerClientOptions
  readonly #deps: BrokerClientDeps
  readonly #subscriptions = new Subscriptions()
  readonly #calls: PendingCalls
  readonly #connectedListeners = new Set<() => void>()
  readonly #disconnectedListeners = new Set<() => void>()
  readonly #replyListeners = new Set<(payload: Uint8Array) => void>()
  readonly #stopping = new AbortController()
  #loop: Promise<void> | null = null
  /** Set from CONNACK on, so that the birth can use it. */
  #connection: Connection | null = null
  #isConnected = false
  /** Since the last connect: each trouble and its end are logged once. */
  #hasFailed = false

  constructor(options: BrokerClientOptions, deps: BrokerClientDeps) {
    this.clientId = options.clientId
    this.topics = options.topics
    this.#options = options
    this.#deps = deps
    this.#calls = new PendingCalls(deps.clock, (...message) =>
      this.#connection?.isOver === false ? this.#connection.publish(...message) : undefined,
    )
    this.#subscriptions.add(options.topics.reply(options.clientId), (message) => {
      if (this.#calls.receive(message)) return
      for (const listener of this.#replyListeners) listener(message.payload)
    })
  }

  get isConnected(): boolean {
    return this.#isConnected && this.#connection?.isOver === false
  }

  start(): void {
    this.#loop ??= this.#run()
  }

  onConnected(listener: () => void): () => void {
    this.#connectedListeners.add(listener)
    if (this.isConnected) listener()
    return () => this.#connectedListeners.delete(listener)
  }

  onDisconnected(listener: () => void): () => void {
    this.#disconnectedListeners.add(listener)
    return () => this.#disconnectedListeners.delete(listener)
  }

  readonly publish: BrokerClient["publish"] = (destination, payload) => {
    if (this.#connection === null)
      return Promise.reject(new AppError("broker_offline", "There is no broker connection."))
    return this.#connection.publish(destination, payload)
  }

  async subscribe(...[filter, handler]: Parameters<BrokerClient["subscribe"]>): Promise<() => void> {
    const remove = this.#subscriptions.add(filter, handler)
    try {
      await this.#connection?.subscribe([filter])
    } catch (error) {
      // A connection that just broke is restored, subscriptions included, by the loop; a refusal is final.
      if (!(error instanceof AppError) || error.code !== "broker_offline") {
        remove()
        throw error
      }
    }
    return () => {
      if (remove()) this.#connection?.unsubscribe(filter)
    }
  }

  onReply(listener: (payload: Uint8Array) => void): () => void {
    this.#replyListeners.add(listener)
    return () => this.#replyListeners.delete(listener)
  }

  request(call: Parameters<BrokerClient["request"]>[0]): ReturnType<BrokerClient["request"]> {
    // Over a connection it may be sent much later than it was asked for; here nobody else wants its bytes.
    const payload = "localBroker" in this.#options ? call.payload : bytesOf(call.payload)
    return this.#calls.request({ ...call, payload })
  }

  sendAgain(isMeant: Parameters<BrokerClient["sendAgain"]>[0]): void {
    this.#calls.sendAgain(isMeant)
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    this.#calls.close()
    await this.#loop
  }

  async #run(): Promise<void> {
    const { clock, log, random = Math.random } = this.#deps
    const backoff = createBackoff({ minMs: 100, maxMs: maxBackoffMs, random })
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const startedMs = clock.monotonicMs()
      try {
        const reason = await this.#holdConnection()
        if (signal.aborted) return
        log.warn({ reason }, "broker connection lost")
        // One that is cut again and again (two clients with one id take turns at it) is not come back to at once.
        if (msSince(clock, startedMs) > maxBackoffMs) backoff.reset()
      } catch (error) {
        if (signal.aborted) return
        const reason = error instanceof Error ? error.message : String(error)
        if (!this.#hasFailed) log.warn({ reason }, "cannot connect to the broker; trying again")
      }
      this.#hasFailed = true
      await delay(clock, backoff.next(), signal)
    }
  }

  /** Answers why the connection ended; throws when it never stood. */
  async #holdConnection(): Promise<string> {
    const { signal } = this.#stopping
    const connection = openConnection(this.#options, {
      clock: this.#deps.clock,
      onMessage: (message) => this.#subscriptions.dispatch(message),
    })
    const stop = () => {
      if (this.#isConnected) void this.#sayGoodbye(connection)
      else connection.cut()
    }
    signal.addEventListener("abort", stop)
    try {
      await this.#establish(connection)
      this.#tellConnected()
      return await connection.ended
    } catch (error) {
      // A birth that refuses is no death: the will must not tell of one.
      const isRefusal = error instanceof AppError && error.code !== "broker_offline"
      if (isRefusal && !connection.isOver) await this.#sayGoodbye(connection)
      throw error
    } finally {
      signal.removeEventListener("abort", stop)
      connection.cut()
      await connection.ended
      this.#connection = null
      this.#tellDisconnected()
    }
  }

  async #establish(connection: Connection): Promise<void> {
    const { clock } = this.#deps
    const error = () => new AppError("broker_offline", "the broker did not answer in time")
    await withDeadline(connection.connected, { clock, timeoutMs: connectTimeoutMs, error })
    this.#connection = connection
    const lost = connection.ended.then((reason): never => {
      throw new AppError("broker_offline", reason)
    })
    const standing = Promise.race([this.#setUp(connection), lost])
    await withDeadline(standing, { clock, timeoutMs: setUpTimeoutMs, error })
  }

  async #setUp(connection: Connection): Promise<void> {
    await connection.subscribe(this.#subscriptions.filters)
    await this.#options.birth?.((destination, payload) => connection.publish(destination, payload))
  }

  #tellConnected(): void {
    this.#deps.log[this.#hasFailed ? "info" : "debug"]({ client: this.clientId }, "connected to the broker")
    this.#hasFailed = false
    this.#isConnected = true
    this.#calls.sendAgain()
    for (const listener of this.#connectedListeners) listener()
  }

  #tellDisconnected(): void {
    if (!this.#isConnected) return
    this.#isConnected = false
    for (const listener of this.#disconnectedListeners) listener()
  }

  async #sayGoodbye(connection: Connection): Promise<void> {
    const { clock, log } = this.#deps
    const error = () => new AppError("broker_offline", "the broker did not take the good-bye")
    try {
      await withDeadline(connection.close(), { clock, timeoutMs: closeTimeoutMs, error })
    } catch (late) {
      log.warn({ reason: String(late) }, "broker connection cut")
      connection.cut()
    }
  }
}
