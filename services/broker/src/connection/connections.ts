import type { Duplex } from "node:stream"
import { AppError } from "@serialcast/contract"
import type { Origin } from "../rules/login.ts"
import { BoundedConnection, type BoundedConnectionOptions } from "./bounded-connection.ts"

export interface ConnectionsOptions extends Omit<BoundedConnectionOptions, "onHeldChange"> {
  /** Bytes that all clients together may leave unread; beyond it, the one that left most is cut off. */
  readonly maxTotalHeldBytes: number
  readonly handle: (connection: Duplex, origin: Origin) => void
}

/** Every open connection, whatever carries it, between its transport and the protocol. */
export class Connections {
  readonly #options: ConnectionsOptions
  readonly #open = new Set<BoundedConnection>()
  #heldBytes = 0
  #isClosed = false

  constructor(options: ConnectionsOptions) {
    this.#options = options
  }

  /** Bytes for clients that their transports have not taken. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  accept(transport: Duplex, origin: Origin): void {
    const connection = new BoundedConnection(transport, {
      ...this.#options,
      onHeldChange: (changeBytes) => this.#countHeld(changeBytes),
    })
    if (this.#isClosed) {
      connection.destroy()
      return
    }
    this.#open.add(connection)
    connection.once("close", () => this.#open.delete(connection))
    this.#options.handle(connection, origin)
  }

  /** Ends every connection, those included that never became clients; later ones are ended at once. */
  close(): void {
    this.#isClosed = true
    for (const connection of this.#open) connection.destroy()
  }

  #countHeld(changeBytes: number): void {
    this.#heldBytes += changeBytes
    const { maxTotalHeldBytes } = this.#options
    if (changeBytes < 0 || this.#heldBytes <= maxTotalHeldBytes) return
    // One is enough: it holds no less than what was just added.
    const largest = [...this.#open].reduce((most, next) => (next.heldBytes > most.heldBytes ? next : most))
    const message =
      `All clients together left ${this.#heldBytes} bytes unread; ${maxTotalHeldBytes} are allowed, ` +
      `and this one left most of them: ${largest.heldBytes}.`
    largest.destroy(new AppError("slow_client", message))
  }
}
