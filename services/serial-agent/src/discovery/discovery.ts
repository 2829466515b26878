import { realpath } from "node:fs/promises"
import { type Clock, createWakeup, delay, msSince } from "@serialcast/primitives"
import type { Logger } from "@serialcast/service-kit"
import { PortTracker, type PortTrackerEvents } from "./port-tracker.ts"
import type { FoundPort } from "./scan-ports.ts"
import type { PortWatch } from "./watch-ports.ts"

export interface DiscoveryOptions {
  /** Paths that are configured: they are not found again. */
  readonly known: readonly string[]
  /** Names that are used already. */
  readonly names: readonly string[]
  readonly scan: () => Promise<readonly FoundPort[]>
  readonly watch: Pick<PortWatch, "isComplete" | "refresh" | "onChanged">
  readonly events: PortTrackerEvents
  readonly clock: Clock
  readonly log: Logger
}

export interface Discovery {
  stop(): Promise<void>
}

// Where a watch works, a look finds only what it missed: the kernel drops events when too many wait, and a folder that
// is mounted anew is another one. Where it does not, a person who plugs a device in looks at the page within seconds.
const lookMs = { watched: 30_000, unwatched: 2_000 }
// udev makes a node's links and sets its group within some 100 ms; a storm of changes does not put the look off for ever.
const settleMs = { quiet: 200, longest: 600 }

/** Finds ports that nobody configured when they come, and tells when they go. Resolves after the first look. */
export async function startDiscovery(options: DiscoveryOptions): Promise<Discovery> {
  const { known, scan, watch, events, clock, log } = options
  const stopping = new AbortController()
  const { signal } = stopping
  const tracker = new PortTracker(options.names, events)
  const changed = createWakeup()
  let isChanged = false
  watch.onChanged(() => {
    isChanged = true
    changed.wake()
  })
  await look()
  const running = keepLooking()
  return {
    async stop() {
      stopping.abort()
      await running
    },
  }

  async function keepLooking(): Promise<void> {
    while (!signal.aborted) {
      const ms = watch.isComplete ? lookMs.watched : lookMs.unwatched
      if (!isChanged) await changed.wait({ signal, timeout: { clock, ms } })
      if (isChanged) await settle()
      if (!signal.aborted) await lookAgain()
    }
  }

  async function settle(): Promise<void> {
    const sinceMs = clock.monotonicMs()
    while (isChanged && !signal.aborted && msSince(clock, sinceMs) < settleMs.longest) {
      isChanged = false
      await delay(clock, settleMs.quiet, signal)
    }
    isChanged = false
  }

  async function lookAgain(): Promise<void> {
    try {
      watch.refresh()
      await look()
    } catch (error) {
      // Out of descriptors, say: nothing is known to have gone, and the next look may work.
      log.warn({ reason: String(error) }, "could not look for ports")
    }
  }

  async function look(): Promise<void> {
    // A configured path that is not there now stands for itself.
    const configured = new Set(await Promise.all(known.map((path) => realpath(path).catch(() => path))))
    tracker.update(await scan(), configured)
  }
}
