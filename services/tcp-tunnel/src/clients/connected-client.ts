import { setMaxListeners } from "node:events"
import type { Socket } from "node:net"
import type { Clock } from "@serialcast/primitives"
import type { Logger } from "@serialcast/service-kit"
import type { ClientRecord } from "./client-record.ts"

/** What a client may take for the end of a connection, in milliseconds; then it is cut off. */
const endMs = 1_000

/** A client while it is served. */
export interface ConnectedClient {
  readonly socket: Socket
  readonly record: ClientRecord
  /** Says in each line which tunnel and which client it is about. */
  readonly log: Logger
  /** The principal of its writes: `tcp:<host>:<port>`, so that no other client is taken for it. */
  readonly by: string
  /** Aborted when the socket is closed, by whomever. */
  readonly signal: AbortSignal
  /** Aborted when the service stops. */
  readonly stopping: AbortSignal
  /** While it answers true the client is not idle, whether bytes move or not. Replaces the one that was given before. */
  keepWhile(isBusy: () => boolean): void
  /** From now on it only waits for what the device may still send: it goes when another client needs its place. */
  giveWay(): void
  /** Why this side ended the connection; null: it did not. */
  readonly endReason: string | null
  /**
   * Sends what is on its way to the client and then FIN; nothing may be written afterwards. A client that does not end
   * its side within 1 s is cut off. The first reason counts, here and for `reset`.
   */
  end(reason: string): void
  /** Resets the connection (RST): what the client has is not all there was, or not all that it sent was written. */
  reset(reason: string): void
}

export interface ConnectedClientOptions {
  readonly socket: Socket
  readonly record: ClientRecord
  readonly log: Logger
  readonly clock: Clock
  readonly stopping: AbortSignal
}

/** One TCP connection, from its accepting on. */
export class Connection implements ConnectedClient {
  readonly socket: Socket
  readonly record: ClientRecord
  readonly by: string
  readonly signal: AbortSignal
  readonly stopping: AbortSignal
  readonly log: Logger
  readonly #clock: Clock
  #endReason: string | null = null
  #givesWay = false
  #isBusy: () => boolean = () => false

  constructor({ socket, record, log, clock, stopping }: ConnectedClientOptions) {
    this.log = log
    this.stopping = stopping
    this.socket = socket
    this.record = record
    this.by = `tcp:${record.peer}`
    this.#clock = clock
    const closed = new AbortController()
    this.signal = closed.signal
    // Everything that is done for the client ends with it: more than ten are no leak here.
    setMaxListeners(0, closed.signal)
    socket.once("close", () => closed.abort())
    if (socket.destroyed) closed.abort()
  }

  /** `giveWay` was called. */
  get givesWay(): boolean {
    return this.#givesWay
  }

  get endReason(): string | null {
    return this.#endReason
  }

  get isBusy(): boolean {
    return this.#isBusy()
  }

  giveWay(): void {
    this.#givesWay = true
  }

  keepWhile(isBusy: () => boolean): void {
    this.#isBusy = isBusy
  }

  end(reason: string): void {
    this.#endWithin(reason, endMs)
  }

  /** As `end`, for a service that stops. */
  endSoon(reason: string): void {
    this.#endWithin(reason, endMs / 2)
  }

  /** Ends the connection at once; what the system has for the client is still sent. */
  cut(reason: string): void {
    this.#endReason ??= reason
    this.socket.destroy()
  }

  reset(reason: string): void {
    this.#endReason ??= reason
    this.socket.resetAndDestroy()
  }

  #endWithin(reason: string, withinMs: number): void {
    this.#endReason ??= reason
    this.socket.end()
    const timer = this.#clock.startTimer(withinMs, () => this.socket.destroy())
    this.socket.once("close", () => timer.cancel())
  }
}
