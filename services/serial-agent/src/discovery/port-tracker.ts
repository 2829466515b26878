import { isDeepStrictEqual } from "node:util"
import { PortNames } from "./port-name.ts"
import type { FoundPort } from "./scan-ports.ts"

export interface PortTrackerEvents {
  /** A port is there, or is known better than before: its links come a moment after its node. */
  onFound(name: string, port: FoundPort): void
  onLost(name: string): void
  /** The port of a found device turned out to be a configured one: its link came late. */
  onConfigured(name: string): void
}

interface PresentPort {
  readonly name: string
  readonly port: FoundPort
}

/** Tells from one look at the system's ports to the next what came and what went. */
export class PortTracker {
  readonly #names: PortNames
  readonly #events: PortTrackerEvents
  /** By node. */
  #present: ReadonlyMap<string, PresentPort> = new Map()

  /** Names in `reserved` are not given to found ports. */
  constructor(reserved: readonly string[], events: PortTrackerEvents) {
    this.#names = new PortNames(reserved)
    this.#events = events
  }

  /** `ports`: all that there are now; those whose node is in `configured` are not found. */
  update(ports: readonly FoundPort[], configured: ReadonlySet<string>): void {
    const before = this.#present
    const found = ports.filter(({ node }) => !configured.has(node))
    const present = new Map(found.map((port) => [port.node, this.#recognise(port, before.get(port.node))]))
    this.#present = present
    for (const [node, { name }] of before) {
      if (present.get(node)?.name === name) continue
      if (configured.has(node)) this.#events.onConfigured(name)
      else this.#events.onLost(name)
    }
    for (const [node, { name, port }] of present) {
      const old = before.get(node)
      if (old?.name !== name || !isDeepStrictEqual(old.port, port)) this.#events.onFound(name, port)
    }
  }

  #recognise(port: FoundPort, before: PresentPort | undefined): PresentPort {
    const isKnown = before !== undefined && isSame(before.port, port)
    return { port, name: isKnown ? before.name : this.#names.of(port.path) }
  }
}

/** Whether it is still the same device behind a node. Its links come a moment after the node, and go before it. */
function isSame(before: FoundPort, now: FoundPort): boolean {
  const { links: _before, ...was } = before.identity
  const { links = [], ...is } = now.identity
  const isUnlinked = before.path === before.node || now.path === now.node
  const isLedTo = before.path === now.path || links.includes(before.path)
  return isDeepStrictEqual(was, is) && (isUnlinked || isLedTo)
}
