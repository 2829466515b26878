import { type DeviceState, toAppError } from "@serialcast/contract"
import type { Device, DeviceLease } from "@serialcast/device-stream"
import { after, type Clock, createWakeup, msUntil, type Wakeup, within } from "@serialcast/primitives"
import type { Contender, Control, Seat, Standing } from "./control.ts"

/** How long the device stays with a client whose tunnel died, in milliseconds. */
const leaseMs = 10_000
/** A lease that was not to be had is asked for again when the device's state changes, or after this. */
const retryMs = 1_000
/** pySerial waits 3 s for an answer. */
const decisionMs = 2_000
/** For the agent's answer to the end of a lease, which ends by itself too. */
const releaseMs = 500

export interface ExclusiveControlDeps {
  readonly device: Pick<Device, "acquireLease" | "lease">
  readonly state: () => DeviceState | undefined
  readonly clock: Clock
}

interface Held {
  readonly seat: ContendedSeat
  readonly lease: DeviceLease
  /** The opening of the port in which the agent is known to have known the lease. */
  opening: string | null
}

/**
 * The first client has control, under the device's lease; when it leaves, the one that has waited longest gets it. While
 * somebody else holds the lease (the console, a program), all watch until it is free.
 */
export class ExclusiveControl implements Control {
  readonly #deps: ExclusiveControlDeps
  /** In the order in which they came. */
  readonly #seats = new Set<ContendedSeat>()
  readonly #changed = createWakeup()
  readonly #stopping = new AbortController()
  #held: Held | null = null
  /** Why nobody has it; null while that is not known. */
  #obstacle: Exclude<Standing, "controls"> | null = null

  constructor(deps: ExclusiveControlDeps) {
    this.#deps = deps
    void this.#run()
  }

  join(contender: Contender): Seat {
    const seat = new ContendedSeat(contender, {
      clock: this.#deps.clock,
      changed: this.#changed,
      standing: () => this.#standing(seat),
      fence: () => (this.#held?.seat === seat ? this.#held.lease.fence : undefined),
      leave: () => this.#leave(seat),
    })
    this.#seats.add(seat)
    if (this.#held === null && this.#mayBeFree()) this.#obstacle = null
    this.#changed.wake()
    return seat
  }

  deviceChanged(): void {
    this.#changed.wake()
    const state = this.#deps.state()
    const held = this.#held
    // An agent that was restarted knows nothing of the lease; its renewal would tell that seconds later.
    const isInDoubt = held !== null && state?.online === true && openingOf(state) !== held.opening
    if (isInDoubt) void this.#check(held)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#giveBack()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    const { clock } = this.#deps
    while (!signal.aborted) {
      const [first] = this.#seats
      const isWanted = this.#held === null && first !== undefined
      if (isWanted && this.#mayBeFree()) await this.#acquire(first)
      if (this.#isServed()) await this.#changed.wait({ signal })
      else await this.#changed.wait({ signal, timeout: { clock, ms: retryMs } })
    }
  }

  #isServed(): boolean {
    return this.#held !== null || this.#seats.size === 0
  }

  /** While somebody else held it, the state tells when it is worth another call. */
  #mayBeFree(): boolean {
    return this.#obstacle !== "watches" || (this.#deps.state()?.lease ?? null) === null
  }

  async #acquire(seat: ContendedSeat): Promise<void> {
    this.#obstacle = null
    try {
      const { by } = seat.contender
      const lease = await this.#deps.device.acquireLease({ by, ttlMs: leaseMs })
      this.#hold({ seat, lease, opening: openingOf(this.#deps.state()) })
    } catch (error) {
      this.#obstacle = toAppError(error).code === "leased" ? "watches" : "away"
      this.#changed.wake()
    }
  }

  #hold(held: Held): void {
    const { seat, lease } = held
    this.#held = held
    this.#obstacle = null
    const { lost } = lease
    lost.addEventListener("abort", () => this.#end(held))
    if (lost.aborted) return this.#end(held)
    // It left while the lease was on its way.
    if (!this.#seats.has(seat) || this.#stopping.signal.aborted) return void this.#giveBack()
    seat.contender.onChange(true)
    this.#changed.wake()
  }

  async #check(held: Held): Promise<void> {
    held.opening = openingOf(this.#deps.state())
    const { fence, holder } = held.lease
    try {
      await this.#deps.device.lease({ by: holder, ttlMs: leaseMs, fence })
    } catch (error) {
      if (toAppError(error).code !== "lease_lost") return
      void dispose(held.lease)
      this.#end(held)
    }
  }

  /** Nobody has it any more. */
  #end(held: Held): void {
    if (this.#held !== held) return
    this.#held = null
    held.seat.contender.onChange(false)
    this.#changed.wake()
  }

  /** null: it is being decided. */
  #standing(seat: ContendedSeat): Standing | null {
    const held = this.#held
    if (!this.#seats.has(seat)) return "watches"
    if (held?.seat === seat) return "controls"
    if (held !== null) return held.seat.isLeaving ? null : "watches"
    return this.#obstacle
  }

  async #leave(seat: ContendedSeat): Promise<void> {
    this.#seats.delete(seat)
    if (this.#held?.seat === seat) await this.#giveBack()
    this.#changed.wake()
  }

  async #giveBack(): Promise<void> {
    const held = this.#held
    if (held === null) return
    held.seat.prepareToLeave()
    await within(dispose(held.lease), { clock: this.#deps.clock, timeoutMs: releaseMs })
    this.#end(held)
  }
}

interface SeatDeps {
  readonly clock: Clock
  readonly changed: Wakeup
  readonly standing: () => Standing | null
  readonly fence: () => string | undefined
  readonly leave: () => Promise<void>
}

class ContendedSeat implements Seat {
  readonly contender: Contender
  readonly #deps: SeatDeps
  isLeaving = false

  constructor(contender: Contender, deps: SeatDeps) {
    this.contender = contender
    this.#deps = deps
  }

  get hasControl(): boolean {
    return this.#deps.standing() === "controls"
  }

  get fence(): string | undefined {
    return this.#deps.fence()
  }

  async standing(): Promise<Standing> {
    const { clock, changed, standing } = this.#deps
    const endMs = after(clock.monotonicMs(), decisionMs)
    for (;;) {
      const decided = standing()
      if (decided !== null) return decided
      const leftMs = msUntil(clock, endMs)
      if (leftMs === 0) return "watches"
      await changed.wait({ timeout: { clock, ms: leftMs } })
    }
  }

  prepareToLeave(): void {
    this.isLeaving = true
  }

  leave(): Promise<void> {
    return this.#deps.leave()
  }
}

async function dispose(lease: DeviceLease): Promise<void> {
  await lease[Symbol.asyncDispose]()
}

/** Openings are counted in each epoch. */
function openingOf(state: DeviceState | undefined): string | null {
  return state === undefined ? null : `${state.epoch}/${state.open}`
}
