import type { Duplex } from "node:stream"
import type {
  DecodedReply,
  Destination,
  Parcel,
  Payload,
  ReplyAddress,
  Topics,
  WriteProgress,
} from "@serialcast/contract"
import type { Clock } from "@serialcast/primitives"
import type { LocalBroker } from "./local-broker.ts"

/** The part of a logger that this library uses. */
export interface BrokerLog {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export interface Message {
  readonly topic: string
  readonly payload: Uint8Array
  /** What was published, when that was in this process and as a parcel: `payload` is it, encoded when it is asked for. */
  readonly parcel?: Parcel | undefined
  /** The broker kept it from earlier; it was not published just now. */
  readonly retained: boolean
}

/** Runs synchronously for each message; must not throw and must not wait, because it holds up all topics. */
export type MessageHandler = (message: Message) => void

export interface CallOptions extends ReplyAddress {
  readonly destination: Destination
  readonly payload: Payload
  /** How long to wait for the reply, in milliseconds from now, and from each progress that is told. */
  readonly timeoutMs: number
  /** Must not throw. */
  readonly onProgress?: ((progress: WriteProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** One clean session on a broker that comes back by itself. */
export interface BrokerClient {
  /** The `<client>` level of this client's calls and replies. */
  readonly clientId: string
  readonly topics: Topics
  readonly isConnected: boolean
  /** Starts connecting, and keeps at it with back-off until `close`. */
  start(): void
  /** Calls `listener` now if connected, and after each later connect, when subscriptions stand and the birth is out. */
  onConnected(listener: () => void): () => void
  onDisconnected(listener: () => void): () => void
  /**
   * Resolves when the connection took the message (QoS 0) or the broker has it (QoS 1): await it to follow the
   * connection's back-pressure. Throws `broker_offline` at once while there is no connection, and `overloaded` when
   * more than `maxPendingBytes` wait for the connection: nothing is ever queued for later.
   */
  publish(destination: Destination, payload: Payload): Promise<void>
  /**
   * Keeps `filter` subscribed over every reconnect. One client's filters must not overlap: brokers differ in how often
   * they deliver then. Resolves when the broker granted it, at once while there is no connection, and answers the
   * function that ends it. Throws `unauthorized` when the broker refuses it.
   */
  subscribe(filter: Destination, handler: MessageHandler): Promise<() => void>
  /** Hears what comes to this client's reply topic and no call waits for: answers to `_discover`, late replies. */
  onReply(listener: (payload: Uint8Array) => void): () => void
  /**
   * Publishes a call, and again after each connect and 2 s, 4 s, 8 s and so on later, at last every 30 s, until the
   * reply comes: calls are QoS 0, and idempotent by their id. A refusal of a part answers the call as a whole when
   * nobody waits for the part; progress answers nothing, and is asked for again when none comes for 2 s. When the time
   * is over, throws `no_reply`; when nothing was sent in all of it, `broker_offline`, or `overloaded` when the
   * connection had no room for it. Throws `aborted` when `signal` is.
   */
  request(call: CallOptions): Promise<DecodedReply>
  /**
   * Sends the waiting calls to these destinations at once: whoever answers there has just come back, and the next
   * sending may be 30 s away.
   */
  sendAgain(isMeant: (destination: Destination) => boolean): void
  /** Refuses all calls and ends the connection in an orderly way: the will is not sent. Takes 2 s at most. */
  close(): Promise<void>
}

/** How the broker is reached: over a stream of bytes, new for each attempt to connect, or in this process. */
export type BrokerLink = { readonly openStream: () => Duplex } | { readonly localBroker: LocalBroker }

export type BrokerClientOptions = BrokerLink & {
  /** A contract name, unique among the broker's clients. */
  readonly clientId: string
  readonly topics: Topics
  readonly credentials: { readonly username: string; readonly password: string } | null
  /** Published by the broker when this client vanishes. */
  readonly will?: { readonly destination: Destination; readonly payload: Uint8Array }
  /** Runs after each connect, when subscriptions stand and before anyone is told. */
  readonly birth?: (publish: BrokerClient["publish"]) => Promise<void>
}

export interface BrokerClientDeps {
  readonly clock: Clock
  readonly log: BrokerLog
  /** Uniform in [0, 1); spreads reconnects. */
  readonly random?: () => number
}

/** Bytes that may wait for the connection before `publish` refuses. */
export const maxPendingBytes = 8 * 1024 * 1024
