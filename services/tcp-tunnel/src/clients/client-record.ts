import type { TunnelClient } from "@serialcast/contract"
import type { WallMs } from "@serialcast/primitives"

/** Counters of clients, those of the past included. */
export interface ByteCounts {
  fromClients: number
  toClients: number
  refusedBytes: number
}

export interface ClientRecordOptions {
  /** `host:port` of the other end. */
  readonly peer: string
  readonly sinceMs: WallMs
  /** What the client's bytes are counted in too. */
  readonly totals: ByteCounts
  /** Bytes moved, one way or the other. */
  readonly onMoved?: (() => void) | undefined
}

/** What is known and counted of one connected client. */
export class ClientRecord {
  readonly peer: string
  /** It holds the right to write while others watch. */
  hasControl = false
  readonly #since: string
  readonly #totals: ByteCounts
  readonly #onMoved: () => void
  #fromClient = 0
  #toClient = 0
  #refusedBytes = 0

  constructor({ peer, sinceMs, totals, onMoved = () => {} }: ClientRecordOptions) {
    this.peer = peer
    this.#since = new Date(sinceMs).toISOString()
    this.#totals = totals
    this.#onMoved = onMoved
  }

  /** Bytes from the client that the device's gateway took. */
  countFromClient(bytes: number): void {
    this.#fromClient += bytes
    this.#totals.fromClients += bytes
    this.#onMoved()
  }

  /** Bytes of the device that were sent to the client. */
  countToClient(bytes: number): void {
    this.#toClient += bytes
    this.#totals.toClients += bytes
    this.#onMoved()
  }

  get refusedBytes(): number {
    return this.#refusedBytes
  }

  /** Bytes from the client that did not reach the device. */
  countRefused(bytes: number): void {
    this.#refusedBytes += bytes
    this.#totals.refusedBytes += bytes
    this.#onMoved()
  }

  /** As the tunnel reports it. */
  toReport(): TunnelClient {
    return {
      peer: this.peer,
      since: this.#since,
      bytes: { fromClient: this.#fromClient, toClient: this.#toClient },
      refusedBytes: this.#refusedBytes,
      hasControl: this.hasControl,
    }
  }
}
