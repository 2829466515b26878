import { randomBytes } from "node:crypto"
import {
  AppError,
  type Lease,
  type LeaseInForce,
  type LeaseOutcome,
  type LeaseRequest,
  type Mark,
} from "@serialcast/contract"
import type { Journal } from "@serialcast/journal"
import { after, type Clock, longAgo, type MonotonicMs, msUntil, type Timer } from "@serialcast/primitives"

export interface WriteLeaseDeps {
  readonly clock: Clock
  readonly journal: Pick<Journal, "mark" | "place">
  /** The holder changed. */
  readonly onChange: () => void
}

interface Held {
  readonly fence: string
  readonly inForce: LeaseInForce
  endsMs: MonotonicMs
  timer?: Timer
}

type Released = Extract<Mark, { kind: "released" }>

const fenceBytes = 16

/**
 * Who may write to a device. A fence that is not the current one is refused even while nobody holds the lease, so a write
 * that its holder sent before losing it never reaches the device. Lives until it is released, expires or is stolen, over
 * replugs of the device, because a board that is flashed goes away and comes back.
 */
export class WriteLease {
  readonly #deps: WriteLeaseDeps
  #held: Held | null = null
  #isStopped = false

  constructor(deps: WriteLeaseDeps) {
    this.#deps = deps
  }

  get holder(): string | null {
    return this.inForce?.holder ?? null
  }

  /** As everyone sees it; null: nobody holds it. */
  get inForce(): LeaseInForce | null {
    return this.#current()?.inForce ?? null
  }

  /** Why what is done under `fence`, or under none, is refused: `leased` or `lease_lost`. null: it is not. */
  whyNot(fence: string | undefined): AppError | null {
    const held = this.#current()
    if (fence === held?.fence) return null
    if (fence !== undefined) return new AppError("lease_lost", `This lease is over. ${tellHolder(held)}`)
    return new AppError("leased", tellHolder(held))
  }

  /**
   * Takes the lease, or renews the one with this fence. Throws `leased`, `lease_lost` for a fence that is old, or
   * `device_offline` after the stop.
   */
  take(request: Omit<LeaseRequest, "id">): Lease {
    const { by, ttlMs, lease, steal, purpose } = request
    if (this.#isStopped) throw new AppError("device_offline", "The agent is stopping.")
    const held = this.#current()
    const refusal = this.whyNot(lease)
    if (refusal !== null && !(refusal.code === "leased" && steal)) throw refusal
    if (lease !== undefined && held !== null) return this.#extend(held, ttlMs)
    if (held !== null) this.#end(held, "stolen")
    const { journal } = this.#deps
    const told = { holder: by, ...(purpose === undefined ? {} : { purpose }) }
    const inForce = { ...told, from: journal.place("rx").offset }
    this.#held = { fence: randomBytes(fenceBytes).toString("base64url"), inForce, endsMs: longAgo }
    const taken = this.#extend(this.#held, ttlMs)
    journal.mark("rx", { kind: "leased", ...told })
    this.#deps.onChange()
    return taken
  }

  /** `outcome`: of what it was taken for, if that is not done. Throws `lease_lost` when `fence` is not the current one. */
  release(fence: string, outcome?: LeaseOutcome): void {
    const refusal = this.whyNot(fence)
    if (refusal !== null) throw refusal
    if (this.#held !== null) this.#end(this.#held, "released", outcome)
    this.#deps.onChange()
  }

  /** Nobody holds it any more, nor can take it. */
  stop(): void {
    this.#isStopped = true
    const held = this.#current()
    if (held !== null) this.#end(held, "stopped")
  }

  /** Looks at the clock itself: after a pause of the process, calls may come in before the timer fires. */
  #current(): Held | null {
    const held = this.#held
    if (held !== null && msUntil(this.#deps.clock, held.endsMs) === 0) {
      this.#end(held, "expired")
      this.#deps.onChange()
    }
    return this.#held
  }

  #extend(held: Held, ttlMs: number): Lease {
    held.endsMs = after(this.#deps.clock.monotonicMs(), ttlMs)
    this.#watch(held)
    const { fence: token, inForce } = held
    return { token, holder: inForce.holder, ttlMs }
  }

  /** Timers may fire a little early, so it may take a second look. */
  #watch(held: Held): void {
    held.timer?.cancel()
    const { clock } = this.#deps
    held.timer = clock.startTimer(Math.ceil(msUntil(clock, held.endsMs)), () => {
      if (this.#current() === held) this.#watch(held)
    })
  }

  #end(held: Held, reason: Released["reason"], outcome?: LeaseOutcome): void {
    held.timer?.cancel()
    this.#held = null
    const { from: _, ...told } = held.inForce
    this.#deps.journal.mark("rx", {
      kind: "released",
      ...told,
      reason,
      ...(outcome === undefined ? {} : { outcome }),
    })
  }
}

function tellHolder(held: Held | null): string {
  if (held === null) return "Nobody holds the device now."
  const { holder, purpose } = held.inForce
  return purpose === undefined ? `${holder} holds the device.` : `${holder} holds the device (${purpose}).`
}
