import { realpath } from "node:fs/promises"
import { type Clock, delay } from "@serialcast/primitives"
import type { Logger } from "@serialcast/service-kit"
import { namePort } from "./port-name.ts"
import type { FoundPort } from "./scan-ports.ts"

export interface DiscoveryEvents {
  onFound(name: string, port: FoundPort): void
  onLost(name: string): void
}

export interface DiscoveryOptions {
  /** Paths that are configured: they are not found again. */
  readonly known: readonly string[]
  /** Names that are used already. */
  readonly names: readonly string[]
  readonly scan: () => Promise<readonly FoundPort[]>
  readonly events: DiscoveryEvents
  readonly clock: Clock
  readonly log: Logger
}

export interface Discovery {
  stop(): Promise<void>
}

// A person who plugs a device in looks at the page within seconds; a scan reads a few small files.
const rescanMs = 2_000

/** Looks for ports that nobody configured, now and again. Resolves after the first look. */
export async function startDiscovery(options: DiscoveryOptions): Promise<Discovery> {
  const { known, names, scan, events, clock, log } = options
  const stopping = new AbortController()
  /** Of every port that was ever there: one that comes back has its old name, and no other port gets it. */
  const namesByPath = new Map<string, string>()
  /** What is there, by node, with the path that it was found at: a by-id link may come a moment after the node. */
  let present: ReadonlyMap<string, string> = new Map()
  await look()
  const running = keepLooking()
  return {
    async stop() {
      stopping.abort()
      await running
    },
  }

  async function keepLooking(): Promise<void> {
    while (!stopping.signal.aborted) {
      await delay(clock, rescanMs, stopping.signal)
      if (!stopping.signal.aborted) await lookAgain()
    }
  }

  async function lookAgain(): Promise<void> {
    try {
      await look()
    } catch (error) {
      // Out of descriptors, say: nothing is known to have gone, and the next look may work.
      log.warn({ reason: String(error) }, "could not look for ports")
    }
  }

  async function look(): Promise<void> {
    // A configured path that is not there now stands for itself.
    const configured = new Set(await Promise.all(known.map((path) => realpath(path).catch(() => path))))
    const ports = (await scan()).filter(({ node }) => !configured.has(node))
    const before = present
    present = new Map(ports.map(({ node, path }) => [node, before.get(node) ?? path]))
    for (const [node, path] of before) if (!present.has(node)) events.onLost(nameOf(path))
    for (const port of ports) if (!before.has(port.node)) events.onFound(nameOf(port.path), port)
  }

  function nameOf(path: string): string {
    const name = namesByPath.get(path) ?? namePort(path, new Set([...names, ...namesByPath.values()]))
    namesByPath.set(path, name)
    return name
  }
}
