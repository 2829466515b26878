import { setMaxListeners } from "node:events"
import type { Socket } from "node:net"
import type { Logger } from "@serialcast/service-kit"
import type { Role } from "./seats.ts"

/** What a listener has counted since it started. */
export interface Totals {
  /** Clients that logged in. */
  clients: number
  /** Bytes that clients typed, and bytes of the board that were sent to clients, counted once for each. */
  fromClients: number
  toClients: number
}

export interface ClientConnectionOptions {
  readonly socket: Socket
  /** `host:port` of the other end. */
  readonly peer: string
  readonly totals: Totals
  readonly log: Logger
}

/** One connection of a client, from its accepting on. */
export class ClientConnection {
  readonly socket: Socket
  readonly peer: string
  /** Whose failed log-ins count together. */
  readonly address: string | undefined
  /** The head of its request named a site: a page of a browser has sent it. */
  hasOrigin = false
  /** Aborted when the socket is closed, by whomever. */
  readonly signal: AbortSignal
  readonly log: Logger
  readonly #totals: Totals
  #role: Role | null = null

  constructor({ socket, peer, totals, log }: ClientConnectionOptions) {
    this.socket = socket
    this.peer = peer
    this.address = socket.remoteAddress
    this.log = log
    this.#totals = totals
    const closed = new AbortController()
    this.signal = closed.signal
    // Everything that is done for the client ends with it: more than ten are no leak here.
    setMaxListeners(0, closed.signal)
    socket.once("close", () => closed.abort())
    if (socket.destroyed) closed.abort()
  }

  /** The principal of its writes, so that no other client is taken for it. */
  get by(): string {
    return `webrepl:${this.peer}`
  }

  /** null: it has not logged in. */
  get role(): Role | null {
    return this.#role
  }

  loggedIn(role: Role): void {
    this.#role = role
    this.#totals.clients += 1
    this.log.info({ role }, "a client logged in")
  }

  countFrom(bytes: number): void {
    this.#totals.fromClients += bytes
  }

  countTo(bytes: number): void {
    this.#totals.toClients += bytes
  }
}
