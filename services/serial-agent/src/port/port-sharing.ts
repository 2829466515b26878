import { findHolders, type Holder } from "@serialcast/ports"
import { type Clock, type Timer, within } from "@serialcast/primitives"
import type { Logger } from "@serialcast/service-kit"

// A program that just took the port has it by then, and ports that open together are looked at together.
const firstLookMs = 300
// For programs that come later: only the system's administrator's can (TIOCEXCL).
const lookMs = 60_000
const findTimeoutMs = 10_000

export interface PortSharingDeps {
  readonly clock: Clock
  readonly log: Logger
  /** Default: the system's. */
  readonly find?: typeof findHolders
}

export interface SharedPort extends Disposable {
  /** The port was just opened: looks soon. */
  opened(): void
}

/** Notices other programs that have an open port open too: each of them takes a part of its bytes. */
export class PortSharing implements Disposable {
  readonly #deps: PortSharingDeps
  readonly #watched = new Map<object, { readonly port: string; tell: (holders: readonly Holder[]) => void }>()
  #timer: Timer | null = null
  #isSoon = false
  #isLooking = false
  #isDisposed = false

  constructor(deps: PortSharingDeps) {
    this.#deps = deps
  }

  /** Calls `tell` after each look with who else has the port open. Only ports of the system can be shared. */
  watch(port: string, tell: (holders: readonly Holder[]) => void): SharedPort {
    const key = {}
    if (port.startsWith("/")) this.#watched.set(key, { port, tell })
    return {
      opened: () => this.#lookIn(firstLookMs),
      [Symbol.dispose]: () => void this.#watched.delete(key),
    }
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true
    this.#timer?.cancel()
  }

  #lookIn(ms: number): void {
    const isSoon = ms === firstLookMs
    if (this.#isDisposed || this.#watched.size === 0 || (this.#timer !== null && (this.#isSoon || !isSoon)))
      return
    this.#timer?.cancel()
    this.#isSoon = isSoon
    this.#timer = this.#deps.clock.startTimer(ms, () => {
      this.#timer = null
      void this.#look()
    })
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return this.#lookIn(firstLookMs)
    this.#isLooking = true
    const { clock, log, find = findHolders } = this.#deps
    const looking = find([...this.#watched.values()].map(({ port }) => port)).then((holders) => {
      for (const { port, tell } of this.#watched.values()) tell(holders.get(port) ?? [])
    })
    // The port works without.
    const failed = (error: unknown) =>
      log.debug({ reason: String(error) }, "could not look who has ports open")
    await within(looking.catch(failed), { clock, timeoutMs: findTimeoutMs })
    this.#isLooking = false
    this.#lookIn(lookMs)
  }
}

/** What a user has to know of it; null: nobody. */
export function sharedProblem(port: string, [holder]: readonly Holder[]) {
  if (holder === undefined) return null
  const { name, pid } = holder
  const message = `${name} (process ${pid}) has ${port} open too, and takes a part of what the device sends; end it.`
  return { code: "port_shared", message }
}
