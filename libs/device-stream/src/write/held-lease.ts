import type { BrokerLog } from "@serialcast/broker-client"
import { type ErrorCode, type Lease, toAppError } from "@serialcast/contract"
import { after, type Clock, type MonotonicMs, msUntil, type Timer } from "@serialcast/primitives"

/** The right to be the only writer of a device, which renews itself. Disposing it gives it back. */
export interface DeviceLease extends AsyncDisposable {
  /** What writes and controls are made with. */
  readonly fence: string
  readonly holder: string
  /**
   * Aborted when the lease is lost: its renewal was refused, or did not come in time by this process's own clock. A
   * process that was stopped for longer than the lease lasts sees it as soon as it looks here. On a machine that was
   * suspended its time stood still: there the agent's refusal tells.
   */
  readonly lost: AbortSignal
  /** Does nothing when it is lost or given back already. */
  release(): Promise<void>
}

export interface HeldLeaseDeps {
  readonly clock: Clock
  readonly log: BrokerLog
  readonly renew: (fence: string, timeoutMs: number) => Promise<Lease>
  readonly release: (fence: string) => Promise<void>
}

/** After these the lease may still be held: the renewal is tried again while it lasts. */
const passingCodes: ReadonlySet<ErrorCode> = new Set(["no_reply", "broker_offline", "overloaded"])

/** `askedMs`: when it was asked for, which is when it began at the earliest. */
export function holdLease(lease: Lease, askedMs: MonotonicMs, deps: HeldLeaseDeps): DeviceLease {
  return new HeldLease(lease, askedMs, deps)
}

class HeldLease implements DeviceLease {
  readonly fence: string
  readonly holder: string
  readonly #ttlMs: number
  readonly #deps: HeldLeaseDeps
  readonly #lost = new AbortController()
  #expiresMs: MonotonicMs
  #timer: Timer | null = null
  #isReleased = false

  constructor({ token: fence, holder, ttlMs }: Lease, askedMs: MonotonicMs, deps: HeldLeaseDeps) {
    this.fence = fence
    this.holder = holder
    this.#ttlMs = ttlMs
    this.#deps = deps
    this.#expiresMs = after(askedMs, ttlMs)
    this.#startTimer()
  }

  get lost(): AbortSignal {
    this.#isHeld()
    return this.#lost.signal
  }

  async release(): Promise<void> {
    if (!this.#isHeld()) return
    this.#isReleased = true
    this.#timer?.cancel()
    try {
      await this.#deps.release(this.fence)
    } catch (error) {
      // Somebody took it, or its time was over: then it is given back.
      if (toAppError(error).code !== "lease_lost") throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.release()
    } catch (error) {
      // Nobody renews it any more: it ends with its time.
      this.#deps.log.debug({ reason: String(error) }, "lease not given back")
    }
  }

  /** Looks at the clock, not at timers: those of a process that was stopped fire after whatever else waited. */
  #isHeld(): boolean {
    if (this.#isReleased || this.#lost.signal.aborted) return false
    if (this.#leftMs > 0) return true
    this.#lose()
    return false
  }

  get #leftMs(): number {
    return msUntil(this.#deps.clock, this.#expiresMs)
  }

  #startTimer(): void {
    const pauseMs = Math.min(this.#ttlMs / 3, this.#leftMs)
    this.#timer = this.#deps.clock.startTimer(pauseMs, () => void this.#renew())
  }

  async #renew(): Promise<void> {
    if (!this.#isHeld()) return
    const askedMs = this.#deps.clock.monotonicMs()
    try {
      await this.#deps.renew(this.fence, Math.ceil(this.#leftMs))
      this.#expiresMs = after(askedMs, this.#ttlMs)
    } catch (error) {
      if (!passingCodes.has(toAppError(error).code) && !this.#isReleased) this.#lose()
    }
    if (this.#isHeld()) this.#startTimer()
  }

  #lose(): void {
    this.#timer?.cancel()
    this.#lost.abort()
  }
}
