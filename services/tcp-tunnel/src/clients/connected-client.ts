import { setMaxListeners } from "node:events"
import type { Socket } from "node:net"
import { type Clock, within } from "@serialcast/primitives"
import type { Logger } from "@serialcast/service-kit"
import type { ClientRecord } from "./client-record.ts"

/** What a client may take for the end of a connection, in milliseconds; then it is cut off. */
const endMs = 1_000

/** A client's bytes on their way to the device. */
export interface ClientWrites {
  /** There are none. */
  readonly isIdle: boolean
  /** Resolves when there are none any more. Never rejects. */
  flush(): Promise<void>
}

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
  /** What the client sent is here until the device has it; it is not idle meanwhile. null: nothing of it is written. */
  endsAfter(writes: ClientWrites | null): void
  /** From now on it only waits for what the device may still send: it goes when another client needs its place. */
  giveWay(): void
  /** Why this side ended the connection; null: it did not. */
  readonly endReason: string | null
  /**
   * Sends what is on its way to the client and then FIN; nothing may be written afterwards. A client that does not end
   * its side within 1 s is cut off. When there are bytes of it that the device does not have, now or then, it is a `reset`
   * instead. The first reason counts.
   */
  end(reason: string): void
  /** As `reset`, of a client that is not to be here: it is counted among the refused ones. */
  refuse(reason: string): void
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
  #isRefused = false
  #writes: ClientWrites | null = null

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

  /** `refuse` was called. */
  get isRefused(): boolean {
    return this.#isRefused
  }

  get endReason(): string | null {
    return this.#endReason
  }

  /** The device does not have all that the client sent. */
  get isBusy(): boolean {
    return this.#writes?.isIdle === false
  }

  giveWay(): void {
    this.#givesWay = true
  }

  endsAfter(writes: ClientWrites | null): void {
    this.#writes = writes
  }

  end(reason: string): void {
    if (this.#isUnwritten) this.#resetUnwritten(reason)
    else this.#endWithin(reason, endMs)
  }

  /** For a service that stops: as `end` when the device takes what the client sent within 0.5 s, else as `reset`. */
  async endSoon(reason: string): Promise<void> {
    const soonMs = endMs / 2
    if (this.#writes !== null) await within(this.#writes.flush(), { clock: this.#clock, timeoutMs: soonMs })
    if (this.#isUnwritten) this.#resetUnwritten(reason)
    else this.#endWithin(reason, soonMs)
  }

  /** Ends the connection at once; what the system has for the client is still sent. */
  cut(reason: string): void {
    this.#endReason ??= reason
    this.socket.destroy()
  }

  refuse(reason: string): void {
    this.#isRefused = true
    this.reset(reason)
  }

  reset(reason: string): void {
    this.#endReason ??= reason
    this.socket.resetAndDestroy()
  }

  #endWithin(reason: string, withinMs: number): void {
    this.#endReason ??= reason
    this.socket.end()
    const timer = this.#clock.startTimer(withinMs, () => {
      if (this.#isUnwritten) this.#resetUnwritten(reason)
      else this.socket.destroy()
    })
    this.socket.once("close", () => timer.cancel())
  }

  #resetUnwritten(reason: string): void {
    this.reset(`${reason}, and the device has not taken all that it sent`)
  }

  /** Not all that came from the client is written. */
  get #isUnwritten(): boolean {
    const isLost = this.record.refusedBytes > 0 || this.socket.readableLength > 0
    return this.#writes !== null && (this.isBusy || isLost)
  }
}
