import type { Message } from "@serialcast/broker-client"
import { matchesFilter } from "./matches-filter.ts"

/** Somebody in this process. */
export interface Subscriber {
  readonly filter: string
  readonly hand: (message: Message) => void
}

/** A client of the network, with what it is subscribed to. */
interface RemoteClient {
  readonly filters: ReadonlySet<string>
}

export interface Route {
  readonly here: readonly Subscriber[]
  /** Whether a client of the network may be subscribed to it. */
  readonly isWantedElsewhere: boolean
}

/** More topics than a gateway of 64 devices has; beyond them all are looked up anew. */
const maxRoutes = 4_096

/** Who gets what is published on a topic. Looked up once for each topic, until somebody subscribes or leaves. */
export class Routes {
  readonly #here = new Set<Subscriber>()
  readonly #elsewhere = new Set<RemoteClient>()
  readonly #known = new Map<string, Route>()

  add(subscriber: Subscriber): void {
    this.#here.add(subscriber)
    this.#known.clear()
  }

  delete(subscriber: Subscriber): void {
    this.#here.delete(subscriber)
    this.#known.clear()
  }

  /** To be called before a client gets what it subscribed to, and after it left. */
  changed(client: RemoteClient): void {
    if (client.filters.size > 0) this.#elsewhere.add(client)
    else this.#elsewhere.delete(client)
    this.#known.clear()
  }

  find(topic: string): Route {
    const known = this.#known.get(topic)
    if (known !== undefined) return known
    if (this.#known.size >= maxRoutes) this.#known.clear()
    const isWanted = ({ filters }: RemoteClient) =>
      [...filters].some((filter) => matchesFilter(filter, topic))
    const route = {
      here: [...this.#here].filter(({ filter }) => matchesFilter(filter, topic)),
      isWantedElsewhere: [...this.#elsewhere].some(isWanted),
    }
    this.#known.set(topic, route)
    return route
  }
}
