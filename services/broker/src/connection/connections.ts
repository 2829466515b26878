import { type Duplex, duplexPair } from "node:stream"
import type { Origin } from "../rules/login.ts"
import { BoundedConnection, type BoundedConnectionOptions } from "./bounded-connection.ts"

export interface ConnectionsOptions extends BoundedConnectionOptions {
  readonly handle: (connection: Duplex, origin: Origin) => void
}

/** Every open connection, whatever carries it, between its transport and the protocol. */
export class Connections {
  readonly #options: ConnectionsOptions
  readonly #open = new Set<BoundedConnection>()
  #isClosed = false

  constructor(options: ConnectionsOptions) {
    this.#options = options
  }

  /** Bytes for clients that their transports have not taken. */
  get heldBytes(): number {
    return [...this.#open].reduce((sum, { heldBytes }) => sum + heldBytes, 0)
  }

  accept(transport: Duplex, origin: Origin): void {
    const connection = new BoundedConnection(transport, this.#options)
    if (this.#isClosed) {
      connection.destroy()
      return
    }
    this.#open.add(connection)
    connection.once("close", () => this.#open.delete(connection))
    this.#options.handle(connection, origin)
  }

  /** The client's end of a new connection within this process. */
  connect(): Duplex {
    const [clientEnd, brokerEnd] = duplexPair()
    // A pair's ends do not notice each other's destruction.
    clientEnd.once("close", () => brokerEnd.destroy())
    brokerEnd.once("close", () => clientEnd.destroy())
    this.accept(brokerEnd, { kind: "process" })
    return clientEnd
  }

  /** Ends every connection, those included that never became clients; later ones are ended at once. */
  close(): void {
    this.#isClosed = true
    for (const connection of this.#open) connection.destroy()
  }
}
