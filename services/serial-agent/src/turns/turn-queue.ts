/*
 *   add ─→ early (a session's, until the ones before it came) ─→ ready (in order) ─→ one at a time ─→ port
 *     │                        a write that the port took may still drain while the next of its session begins
 *     └─ now: at once, beside the one whose turn it is
 *   Whatever waits is refused when it is too old, taken back, or when the port goes away.
 */
import { AppError, toAppError } from "@serialcast/contract"
import type { OpenPort } from "@serialcast/ports"
import {
  after,
  type Clock,
  createDeferred,
  type Deferred,
  type MonotonicMs,
  msUntil,
  type Timer,
  withDeadline,
} from "@serialcast/primitives"
import type { WriteLease } from "../leases/write-lease.ts"
import { ClientShares } from "./client-shares.ts"
import { type Place, Sessions } from "./sessions.ts"
import type { Turn, TurnOptions } from "./turn.ts"

/** Bytes that may wait for one port, those in progress included. */
export const maxQueuedBytes = 8 * 1024 * 1024
/** What a turn or a part of a write costs beside its bytes, roughly: many small ones are bounded by it. */
export const turnCostBytes = 512
const defaultTtlMs = 30_000
// A write of a session that overtook another by more than this has lost it.
const maxEarlyMs = 30_000
// Whoever wants it now wants one thing, like a break; more at once are a mistake.
const maxNow = 16
const purgeTimeoutMs = 10_000
// What a session may have on its way is four full calls.
const maxDraining = 8

interface Entry {
  readonly turn: Turn
  /** Its place in its session; null when it is in none. */
  readonly place: Place | null
  readonly expiresMs: MonotonicMs
  /** Ends the wait. */
  timer?: Timer
}

interface Running {
  readonly stop: AbortController
  readonly over: Deferred<void>
  /** It has left the queue. */
  readonly gone: Deferred<void>
  /** The next turn waits for it. */
  purge?: Promise<unknown>
}

export interface TurnQueueDeps {
  readonly clock: Clock
  readonly lease: Pick<WriteLease, "whyNot">
  /** How often earlier processes opened the port: what is meant for one of those openings may have been done. */
  readonly openedBefore: number
}

/** Who does something with a port, in turn: one at a time, whole, in order, nothing of it on a later open. */
export class TurnQueue {
  readonly #clock: Clock
  readonly #lease: TurnQueueDeps["lease"]
  readonly #openedBefore: number
  readonly #sessions: Sessions<Entry>
  /** Sets, because time to live takes turns out of the middle. */
  readonly #early = new Set<Entry>()
  readonly #ready = new Set<Entry>()
  readonly #running = new Map<Entry, Running>()
  /** All that wait or run: thousands may, and each of them may be taken back by itself. */
  readonly #entries = new Map<Turn, Entry>()
  /** In bytes. */
  readonly #queued = new ClientShares(maxQueuedBytes)
  #attached: { readonly port: OpenPort; readonly open: number } | null = null
  #isTaking = false

  constructor({ clock, lease, openedBefore }: TurnQueueDeps) {
    this.#clock = clock
    this.#openedBefore = openedBefore
    this.#lease = lease
    this.#sessions = new Sessions(clock)
  }

  /** null while it is closed. */
  get port(): OpenPort | null {
    return this.#attached?.port ?? null
  }

  /** The port is there; `open` counts how often it was. */
  attach(port: OpenPort, open: number): void {
    this.#attached = { port, open }
  }

  /** The port is gone: what waits is refused as `expired`, so that a later open never gets it. */
  detach(): void {
    this.#attached = null
    const error = new AppError("expired", "The device went away before its turn came.")
    this.#refuseWaiting(() => true, error)
    const gone = new AppError("aborted", "the device went away")
    for (const { stop } of this.#running.values()) stop.abort(gone)
  }

  /**
   * Why something like this would be refused now: `device_offline`, `expired`, `leased`, `lease_lost`; and `aborted` for what
   * a session sent to an earlier process, which may have done it without a trace.
   */
  whyNot({ open, session, lease }: TurnOptions): AppError | null {
    if (this.#attached === null) return portClosed()
    if (open !== undefined && open !== this.#attached.open) {
      if (session !== undefined && open <= this.#openedBefore)
        return new AppError("aborted", "The agent was started anew; whether this was done before is unknown.")
      return new AppError("expired", "The device was plugged in again since this was asked for.")
    }
    return this.#lease.whyNot(lease)
  }

  /** Runs it when its turn comes, or refuses it; besides as `whyNot`, as `overloaded`, `out_of_order` or `expired`. */
  add(turn: Turn): void {
    const entry = {
      turn,
      place: placeOf(turn),
      expiresMs: after(this.#clock.monotonicMs(), turn.ttlMs ?? defaultTtlMs),
    }
    const refusal = this.whyNot(turn) ?? this.#whyFull(entry)
    if (refusal !== null) return this.#refuse(entry, refusal)
    this.#queued.take(clientOf(turn), costOf(turn))
    this.#entries.set(turn, entry)
    if (turn.isNow) return void this.#run(entry)
    const ready = entry.place === null ? [entry] : this.#sessions.enter(entry.place, entry)
    if (ready[0] !== entry) this.#waitEarly(entry)
    for (const each of ready) this.#makeReady(each)
    void this.#takeTurns()
    for (const each of ready) if (this.#ready.has(each)) this.#limitWait(each)
  }

  /** Refuses this one if it waits, and stops it if it is in progress. False when it is over, or never was. */
  withdrawOne(turn: Turn, error: AppError): boolean {
    const entry = this.#entries.get(turn)
    if (entry === undefined) return false
    const running = this.#running.get(entry)
    if (running === undefined) this.#refuse(entry, error)
    else running.stop.abort(error)
    return true
  }

  /** Refuses what matches and waits, and stops what matches and is in progress. False when nothing matches. */
  withdraw(matches: (turn: Turn) => boolean, error: AppError): boolean {
    const running = [...this.#running].filter(([{ turn }]) => matches(turn))
    for (const [, { stop }] of running) stop.abort(error)
    return this.#refuseWaiting(matches, error) || running.length > 0
  }

  /** The turn in progress; those that do not wait for theirs are none. Others of its session may still drain. */
  get current(): Turn | null {
    return this.#inProgress.at(-1)?.[0].turn ?? null
  }

  /** Stops the turn in progress, and those of its session that still drain, and drops what the port has of them. */
  async purgeCurrent(error: AppError): Promise<void> {
    const port = this.port
    const all = this.#inProgress.map(([, running]) => running)
    if (port === null || all.length === 0) return
    for (const { stop } of all) stop.abort(error)
    const purge = async () => {
      // A write that flow control holds up goes on after the first; the second drops what it still gave to the port.
      await this.#purge(port)
      await Promise.all(all.map(({ over }) => over.promise))
      await this.#purge(port)
    }
    const purged = purge()
    for (const running of all) running.purge = Promise.allSettled([running.purge, purged])
    await purged
  }

  async #purge(port: OpenPort): Promise<void> {
    const failed = (reason: string, cause?: unknown) =>
      new AppError("device_offline", `The port did not drop what was written to it${reason}.`, { cause })
    try {
      const limits = { clock: this.#clock, timeoutMs: purgeTimeoutMs, error: () => failed("") }
      await withDeadline(port.purge(), limits)
    } catch (cause) {
      if (cause instanceof AppError) throw cause
      throw failed(`: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
    }
  }

  /** In the order in which they began. */
  get #inProgress(): [Entry, Running][] {
    return [...this.#running].filter(([{ turn }]) => !turn.isNow)
  }

  #whyFull({ turn, place }: Entry): AppError | null {
    if (!this.#queued.hasRoom(clientOf(turn), costOf(turn))) {
      const message = `No room for more: ${maxQueuedBytes} bytes may wait for the port, of one client three quarters of them.`
      return new AppError("overloaded", message)
    }
    if (turn.isNow && this.#running.size >= maxNow) {
      return new AppError("overloaded", `${maxNow} controls are in progress already.`)
    }
    return place === null ? null : this.#sessions.whyNot(place)
  }

  #waitEarly(entry: Entry): void {
    this.#early.add(entry)
    const waitMs = Math.min(maxEarlyMs, msUntil(this.#clock, entry.expiresMs))
    const error = () => new AppError("out_of_order", "What comes before it in its session did not come.")
    entry.timer = this.#clock.startTimer(waitMs, () => this.#refuse(entry, error()))
  }

  #makeReady(entry: Entry): void {
    entry.timer?.cancel()
    this.#early.delete(entry)
    this.#ready.add(entry)
  }

  #limitWait(entry: Entry): void {
    const error = () => new AppError("expired", "It waited longer than its time to live.")
    const waitMs = msUntil(this.#clock, entry.expiresMs)
    entry.timer = this.#clock.startTimer(waitMs, () => this.#refuse(entry, error()))
  }

  async #takeTurns(): Promise<void> {
    if (this.#isTaking) return
    this.#isTaking = true
    for (const entry of this.#ready) {
      for (let before = this.#inFrontOf(entry); before !== undefined; before = this.#inFrontOf(entry))
        await before.gone.promise
      // While it waited it may have been refused.
      if (this.#ready.has(entry)) await this.#untilTaken(entry)
    }
    this.#isTaking = false
  }

  /** What has to leave the port before it may begin. */
  #inFrontOf(entry: Entry): Running | undefined {
    if (this.#running.size === 0) return undefined
    const inProgress = this.#inProgress
    if (inProgress.length >= maxDraining) return inProgress[0]?.[1]
    return inProgress.find(([other]) => !mayFollow(entry, other))?.[1]
  }

  /** Runs it; resolves when the port took it. */
  #untilTaken(entry: Entry): Promise<void> {
    const taken = createDeferred<void>()
    void this.#run(entry, taken.resolve).finally(taken.resolve)
    return taken.promise
  }

  async #run(entry: Entry, onTaken?: () => void): Promise<void> {
    // The lease may have changed hands while it waited. A write that has begun is finished: it is atomic.
    const refusal = this.whyNot(entry.turn)
    const attached = this.#attached
    if (refusal !== null || attached === null) return this.#refuse(entry, refusal ?? portClosed())
    const running: Running = { stop: new AbortController(), over: createDeferred(), gone: createDeferred() }
    entry.timer?.cancel()
    this.#ready.delete(entry)
    this.#running.set(entry, running)
    const error = await errorOf(entry.turn.run(attached.port, running.stop.signal, onTaken))
    running.over.resolve()
    await running.purge
    if (error === null) this.#leave(entry, false)
    else this.#refuse(entry, error)
    running.gone.resolve()
    if (error?.code !== "aborted" || entry.turn.kind !== "write") return
    // What waits must neither go to this port any more nor take its failure for its own.
    if (this.port === attached.port) this.detach()
    await attached.port.close()
  }

  #refuseWaiting(matches: (turn: Turn) => boolean, error: AppError): boolean {
    const matching = [...this.#ready, ...this.#early].filter(({ turn }) => matches(turn))
    for (const entry of matching) {
      // One that was refused with an earlier one of its session is not there any more.
      if (this.#ready.has(entry) || this.#early.has(entry)) this.#refuse(entry, error)
    }
    return matching.length > 0
  }

  #refuse(entry: Entry, error: AppError): void {
    const later = this.#leave(entry, true)
    entry.turn.refuse(error)
    for (const each of later) {
      const running = this.#running.get(each)
      // It began while this one was still draining, and is refused when it ends: for the same reason.
      if (running !== undefined) running.stop.abort(error)
      else {
        // The session is over from the first on already.
        this.#leave(each, false)
        each.turn.refuse(new AppError("out_of_order", "What comes before it in its session was refused."))
      }
    }
  }

  /** Answers what is refused together with it. */
  #leave(entry: Entry, isRefused: boolean): readonly Entry[] {
    entry.timer?.cancel()
    const wasIn = this.#early.delete(entry) || this.#ready.delete(entry) || this.#running.delete(entry)
    this.#entries.delete(entry.turn)
    if (wasIn) this.#queued.give(clientOf(entry.turn), costOf(entry.turn))
    return entry.place === null ? [] : this.#sessions.leave(entry.place, entry, isRefused)
  }
}

async function errorOf(work: Promise<void>): Promise<AppError | null> {
  try {
    await work
    return null
  } catch (error) {
    return toAppError(error)
  }
}

/** Whether a write may begin while the port still drains `other`: the next of the same session, under the same lease. */
function mayFollow({ turn, place }: Entry, { turn: other, place: otherPlace }: Entry): boolean {
  const isNext = place !== null && place.session === otherPlace?.session
  return isNext && turn.kind === "write" && other.kind === "write" && turn.lease === other.lease
}

function portClosed(): AppError {
  return new AppError("device_offline", "The port is not open.")
}

function placeOf({ client, session, seq, sizeBytes, isNow }: Turn): Place | null {
  if (client === undefined || session === undefined || seq === undefined || isNow) return null
  return { session: `${client}/${session}`, seq, sizeBytes }
}

/** Writers by topic have no name, and are one client. */
function clientOf({ client = "" }: Turn): string {
  return client
}

function costOf({ sizeBytes }: Turn): number {
  return sizeBytes + turnCostBytes
}
