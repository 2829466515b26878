import type { TunnelState } from "@serialcast/contract"
import type { Clock } from "@serialcast/primitives"
import { type ByteCounts, ClientRecord } from "./client-record.ts"

export interface ClientListDeps {
  readonly clock: Pick<Clock, "nowMs">
  /** A client came, left or was refused. */
  readonly onChange: () => void
}

/** The clients of one tunnel, in the order in which they came, and the totals since the tunnel started. */
export class ClientList {
  readonly #deps: ClientListDeps
  readonly #records = new Set<ClientRecord>()
  readonly #bytes: ByteCounts = { fromClients: 0, toClients: 0, refusedBytes: 0 }
  #clients = 0
  #refusedClients = 0

  constructor(deps: ClientListDeps) {
    this.#deps = deps
  }

  /** `peer`: `host:port`. `onMoved` is called when bytes of it moved. */
  add(peer: string, onMoved?: () => void): ClientRecord {
    const record = new ClientRecord({ peer, sinceMs: this.#deps.clock.nowMs(), totals: this.#bytes, onMoved })
    this.#records.add(record)
    this.#clients += 1
    this.#deps.onChange()
    return record
  }

  remove(record: ClientRecord): void {
    if (this.#records.delete(record)) this.#deps.onChange()
  }

  /** A client that was not let in. */
  countRefused(): void {
    this.#refusedClients += 1
    this.#deps.onChange()
  }

  /** Its part of a tunnel's state. */
  toReport(): Pick<TunnelState, "clientCount" | "clients" | "totals"> {
    return {
      clientCount: this.#records.size,
      clients: [...this.#records].map((record) => record.toReport()),
      totals: { clients: this.#clients, refusedClients: this.#refusedClients, ...this.#bytes },
    }
  }
}
