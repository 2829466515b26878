/*
 *   write, configure, signal ─→ one turn after the other ─→ session of this opening of the port ─→ agent
 *                                                      └─→ refused: unplugged, stale, or the lane has failed
 */
import {
  AppError,
  type ErrorCode,
  type ModemLines,
  type PortSettings,
  toAppError,
} from "@serialcast/contract"
import type { Device, DeviceClient, SignalChange } from "@serialcast/device-stream"
import { type Clock, type Timer, within } from "@serialcast/primitives"
import { LaneSession } from "./lane-session.ts"
import { type Opening, Openings } from "./openings.ts"

/** How a write is refused when the device is unplugged: before, while and after it waits for its turn. */
const unplugCodes: ReadonlySet<ErrorCode> = new Set(["device_offline", "aborted", "expired"])
/** A device that is refused like an unplugged one is seen to be unplugged within this, in milliseconds. */
const unplugSeenMs = 2_000
/** For what has its turn when the lane is left, in milliseconds: an agent that is away answers nothing. */
const leaveMs = 500

export interface DeviceLaneOptions {
  /** `<gateway>/<device>`; may be unknown yet. */
  readonly address: string
  /** The principal who writes. */
  readonly by: string
  /** The token of the lease to write under, as it is now: what is asked for now is done under it, or refused. */
  readonly lease?: (() => string | undefined) | undefined
  /** The device has these bytes. */
  readonly onTaken: (bytes: number) => void
  /** The device does not get these bytes: it is unplugged, or as `onFailed` tells then. */
  readonly onRefused: (bytes: number, error: AppError) => void
  /**
   * Bytes were refused for another reason than an unplug (`leased`, `lease_lost`, `no_reply`, `overloaded`, …), or after
   * one they cannot go on: the connection has to end, because TCP has no other way to say so. Called once; everything
   * after it is refused.
   */
  readonly onFailed: (error: AppError) => void
}

/**
 * One client's writes and controls, in the order of the calls here. Each opening of the port has a session of its own:
 * what was meant for one never reaches the next. While the device is unplugged, bytes are thrown away and told to
 * `onRefused`; after the replug so is what was sent before it: until nothing came for 50 ms, at most for 1 s.
 */
export interface DeviceLane extends AsyncDisposable {
  /** Resolves when the bytes are on their way (256 KiB at most) or thrown away: awaiting it is the back-pressure. Never rejects. */
  write(bytes: Uint8Array): Promise<void>
  /** After the writes before it; before those behind it. Works on a closed port too: then for its next opening. */
  configure(settings: Partial<PortSettings>): Promise<PortSettings>
  /** After the writes before it; before those behind it. Rejects when it is refused, which does not end the lane. */
  signal(change: SignalChange): Promise<ModemLines | null>
  /**
   * Takes back, at once, what the device did not get yet; those bytes are nobody's: neither taken nor refused. What is
   * asked for afterwards waits until that is done.
   */
  purge(): Promise<void>
  /** Resolves when all bytes are drained to the port or refused. Never rejects. */
  flush(): Promise<void>
  /** The device has, or will never get, everything that was written here. */
  readonly isIdle: boolean
}

export interface DeviceLaneDeps {
  readonly devices: DeviceClient
  readonly clock: Clock
}

/** Disposing it takes back what has no receipt, within 1 s; controls still work then. */
export function createDeviceLane(options: DeviceLaneOptions, deps: DeviceLaneDeps): DeviceLane {
  return new Lane(options, deps)
}

class Lane implements DeviceLane {
  readonly #options: DeviceLaneOptions
  readonly #clock: Clock
  readonly #device: Device
  readonly #openings: Openings
  #session: LaneSession | null = null
  #lastTurn: Promise<unknown> = Promise.resolve()
  #waitingBytes = 0
  /** Counts purges: what was written before one and still waits is dropped. */
  #purges = 0
  #failure: AppError | null = null
  #unplugSeen: Timer | null = null

  constructor(options: DeviceLaneOptions, { devices, clock }: DeviceLaneDeps) {
    this.#options = options
    this.#clock = clock
    this.#device = devices.device(options.address)
    this.#openings = new Openings({ address: options.address, devices, clock })
  }

  get isIdle(): boolean {
    return this.#waitingBytes === 0 && (this.#session?.pendingBytes ?? 0) === 0
  }

  write(bytes: Uint8Array): Promise<void> {
    const { lease } = this.#caller()
    const purges = this.#purges
    this.#waitingBytes += bytes.byteLength
    return this.#inTurn(async () => {
      // Two sessions have no order between them.
      if (this.#session !== null && this.#session.lease !== lease) await this.#session.flush()
      this.#waitingBytes -= bytes.byteLength
      if (purges === this.#purges) await this.#writeNow(bytes, lease)
    })
  }

  configure(settings: Partial<PortSettings>): Promise<PortSettings> {
    const caller = this.#caller()
    return this.#control(() => this.#device.configure(settings, caller))
  }

  signal(change: SignalChange): Promise<ModemLines | null> {
    const caller = this.#caller()
    return this.#control(() => this.#device.signal(change, caller))
  }

  async purge(): Promise<void> {
    this.#purges += 1
    const purged = this.#purgeNow()
    this.#lastTurn = Promise.allSettled([this.#lastTurn, purged])
    await purged
  }

  async flush(): Promise<void> {
    await this.#lastTurn
    await this.#session?.flush()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#openings[Symbol.dispose]()
    this.#unplugSeen?.cancel()
    this.#failure ??= new AppError("cancelled", "The client left before everything was written.")
    await this.#session?.leave()
    await within(this.#lastTurn, { clock: this.#clock, timeoutMs: leaveMs })
  }

  #caller(): { by: string; lease: string | undefined } {
    return { by: this.#options.by, lease: this.#options.lease?.() }
  }

  /** What is asked for first is done first, also when nobody awaits it. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#lastTurn.then(work)
    this.#lastTurn = turn.catch(() => {})
    return turn
  }

  /** Outside the session, which a refusal would end; what was written is drained before, and what follows waits. */
  #control<T>(act: () => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      await this.#session?.flush()
      return await act()
    })
  }

  async #purgeNow(): Promise<void> {
    const session = this.#session
    this.#session = null
    await session?.leave()
    // An agent's purge drops the writes of everyone in this process; only under a lease is that nobody else.
    const { by, lease } = this.#caller()
    if (lease !== undefined && this.#openings.present !== null) await this.#device.purge({ by, lease })
  }

  async #writeNow(bytes: Uint8Array, lease: string | undefined): Promise<void> {
    if (this.#failure !== null) return this.#refuse(bytes.byteLength, this.#failure)
    const opening = this.#openings.forBytes()
    if (opening === null) return this.#refuse(bytes.byteLength, unplugged())
    try {
      const session = this.#sessionFor(opening, lease)
      if (session.ended !== null) this.#refuse(bytes.byteLength, session.ended)
      else await session.write(bytes)
    } catch (error) {
      this.#refuse(bytes.byteLength, toAppError(error))
      this.#lookAt(toAppError(error), opening)
    }
  }

  /** Throws when none can be begun. */
  #sessionFor(opening: Opening, lease: string | undefined): LaneSession {
    const last = this.#session
    if (last?.opening === opening && (last.ended !== null || last.lease === lease)) return last
    const session: LaneSession = new LaneSession({
      openWriter: (signal) => this.#device.openWriter({ by: this.#options.by, lease, signal }),
      opening,
      lease,
      clock: this.#clock,
      onTaken: this.#options.onTaken,
      onEnded: (lostBytes, error) => this.#ended(session, lostBytes, error),
    })
    this.#session = session
    return session
  }

  #ended(session: LaneSession, lostBytes: number, error: AppError): void {
    const isPurged = session !== this.#session && error.code === "cancelled" && this.#failure === null
    if (isPurged) return
    this.#refuse(lostBytes, error)
    if (session === this.#session) this.#lookAt(error, session.opening)
  }

  /** Tells an unplug from what ends the lane. */
  #lookAt(error: AppError, opening: Opening): void {
    if (this.#failure !== null) return
    if (!unplugCodes.has(error.code)) return this.#fail(error)
    this.#unplugSeen?.cancel()
    this.#unplugSeen = this.#clock.startTimer(unplugSeenMs, () => {
      if (this.#openings.present === opening) this.#fail(error)
    })
  }

  #refuse(bytes: number, error: AppError): void {
    if (bytes > 0) this.#options.onRefused(bytes, error)
  }

  #fail(error: AppError): void {
    if (this.#failure !== null) return
    this.#failure = error
    this.#options.onFailed(error)
  }
}

function unplugged(): AppError {
  return new AppError("device_offline", "The device could not be reached when these bytes came in.")
}
