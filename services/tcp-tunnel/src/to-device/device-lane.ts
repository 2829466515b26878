/*
 *   write, configure, signal ─→ one turn after the other ─→ session of this opening of the port ─→ agent
 *                                                      └─→ refused: the lane has failed, and so has the connection
 *
 * What a turn does when it comes. Bytes are taken (the device has them), refused (it will never have them) or dropped
 * (purged: nobody is told). What bytes are meant for is fixed when they come in: `Openings` has the table of that.
 *
 *   lane      what has its turn                            what it does
 *   -------   ------------------------------------------   -------------------------------------------------------------
 *   working   bytes written before a purge                 dropped
 *   working   bytes for no opening, or for one that is     → failed; refused
 *             not there now
 *   working   bytes for the session's opening and lease    they go into the session
 *   working   bytes for another opening or lease           when all of the session's are taken or refused: another session,
 *                                                          or refused, if it has failed by then
 *   failed,   bytes                                        refused
 *   left
 *   any       configure, signal                            when all of the session's are taken or refused: it is asked for,
 *                                                          and its refusal is the caller's alone
 *
 *   lane      what happens at once                         what it does
 *   -------   ------------------------------------------   -------------------------------------------------------------
 *   working   the session ends, with some not taken        → failed; those are refused, and the connection is told
 *   working   purge                                        the session is left, and the rest of it is dropped; or refused,
 *                                                          if it ends otherwise than by that: → failed
 *   failed,   purge                                        the session is left, and the rest of it is refused
 *   left
 *   any       purge                                        under a lease, and with the device there, it is asked for too;
 *                                                          turns behind it wait until it is done
 *   any       purge, directly behind another one           nothing: it is the same
 *   any       disposed                                     → left; the rest of the session is refused, and nobody is told
 */
import { AppError, type ModemLines, type PortSettings, toAppError } from "@serialcast/contract"
import type { Device, DeviceClient, SignalChange } from "@serialcast/device-stream"
import { type Clock, within } from "@serialcast/primitives"
import { LaneSession } from "./lane-session.ts"
import { type Opening, Openings } from "./openings.ts"

/** For what has its turn when the lane is left, in milliseconds: an agent that is away answers nothing. */
const leaveMs = 500

export interface DeviceLaneOptions {
  /** `<gateway>/<device>`; may be unknown yet. */
  readonly address: string
  /** The principal who writes. */
  readonly by: string
  /** The fence of the lease to write under, as it is now: what is asked for now is done under it, or refused. */
  readonly lease?: (() => string | undefined) | undefined
  /** The device has these bytes. */
  readonly onTaken: (bytes: number) => void
  /** The device does not get these bytes. */
  readonly onRefused: (bytes: number) => void
  /**
   * Bytes were refused, for whatever reason (`device_offline`, `aborted`, `expired`, `leased`, `no_reply`, …): the connection
   * has to be reset, because TCP has no other way to say so, and what follows would stand behind a hole. Called once;
   * everything after it is refused.
   */
  readonly onFailed: (error: AppError) => void
}

/**
 * One client's writes and controls, in the order of the calls here. Each opening of the port has a session of its own:
 * what was meant for one never reaches the next. All bytes up to one place reach the device, and none behind it.
 */
export interface DeviceLane extends AsyncDisposable {
  /** What bytes are meant for that come in now; null: the device is unplugged, or just back. */
  readonly opening: Opening | null
  /**
   * Writes bytes to the opening that they were meant for when they came in (default: now). Resolves when they are on their
   * way (256 KiB at most) or refused: awaiting it is the back-pressure. Never rejects.
   */
  write(bytes: Uint8Array, meantFor?: Opening | null): Promise<void>
  /**
   * After the writes before it; before those behind it. Works on a closed port too: then for its next opening. A change that
   * waits is replaced by one of the same settings, when there are no writes and signals between them: both have its answer.
   */
  configure(settings: Partial<PortSettings>): Promise<PortSettings>
  /** After the writes before it; before those behind it. Rejects when it is refused, which does not end the lane. */
  signal(change: SignalChange): Promise<ModemLines | null>
  /**
   * Takes back, at once, what the device did not get yet; those bytes are nobody's: neither taken nor refused. What is
   * asked for afterwards waits until that is done; another purge directly behind it is the same.
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

/** A change of settings that waits for its turn. */
interface WaitingSettings {
  readonly asked: { settings: Partial<PortSettings> }
  readonly answer: Promise<PortSettings>
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
  /** Changes that wait with nothing but others behind them, by what they change. */
  readonly #waitingSettings = new Map<string, WaitingSettings>()
  /** A purge that runs with nothing behind it. */
  #purging: Promise<void> | null = null

  constructor(options: DeviceLaneOptions, { devices, clock }: DeviceLaneDeps) {
    this.#options = options
    this.#clock = clock
    this.#device = devices.device(options.address)
    this.#openings = new Openings({ address: options.address, devices, clock })
  }

  get isIdle(): boolean {
    return this.#waitingBytes === 0 && (this.#session?.pendingBytes ?? 0) === 0
  }

  get opening(): Opening | null {
    return this.#openings.forBytes
  }

  write(bytes: Uint8Array, meantFor: Opening | null = this.opening): Promise<void> {
    const { lease } = this.#caller()
    const purges = this.#purges
    this.#endJoining()
    this.#waitingBytes += bytes.byteLength
    return this.#inTurn(async () => {
      // Two sessions have no order between them, and behind what is refused of one the next may not begin.
      if (meantFor !== null && this.#session?.isFor(meantFor, lease) === false) await this.#session.flush()
      this.#waitingBytes -= bytes.byteLength
      if (purges === this.#purges) await this.#writeNow(bytes, meantFor, lease)
    })
  }

  configure(settings: Partial<PortSettings>): Promise<PortSettings> {
    const caller = this.#caller()
    const name = JSON.stringify([Object.keys(settings), caller.lease])
    const last = this.#waitingSettings.get(name)
    if (last !== undefined) {
      last.asked.settings = settings
      return last.answer
    }
    this.#purging = null
    const asked = { settings }
    const answer = this.#control(() => {
      if (this.#waitingSettings.get(name)?.asked === asked) this.#waitingSettings.delete(name)
      return this.#device.configure(asked.settings, caller)
    })
    this.#waitingSettings.set(name, { asked, answer })
    return answer
  }

  signal(change: SignalChange): Promise<ModemLines | null> {
    const caller = this.#caller()
    this.#endJoining()
    return this.#control(() => this.#device.signal(change, caller))
  }

  purge(): Promise<void> {
    if (this.#purging !== null) return this.#purging
    this.#purges += 1
    const purged = this.#purgeNow()
    this.#lastTurn = Promise.allSettled([this.#lastTurn, purged])
    this.#purging = purged
    const end = () => {
      if (this.#purging === purged) this.#purging = null
    }
    purged.then(end, end)
    return purged
  }

  async flush(): Promise<void> {
    await this.#lastTurn
    await this.#session?.flush()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#openings[Symbol.dispose]()
    this.#failure ??= new AppError("cancelled", "The client left before everything was written.")
    await this.#session?.leave()
    await within(this.#lastTurn, { clock: this.#clock, timeoutMs: leaveMs })
  }

  #caller(): { by: string; lease: string | undefined } {
    return { by: this.#options.by, lease: this.#options.lease?.() }
  }

  /** What is asked for from now on is behind something else. */
  #endJoining(): void {
    this.#waitingSettings.clear()
    this.#purging = null
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

  async #writeNow(bytes: Uint8Array, meantFor: Opening | null, lease: string | undefined): Promise<void> {
    const size = bytes.byteLength
    if (this.#failure !== null) return this.#refuse(size, this.#failure)
    if (meantFor === null || meantFor !== this.#openings.present) return this.#refuse(size, unplugged())
    try {
      await this.#sessionFor(meantFor, lease).write(bytes)
    } catch (error) {
      this.#refuse(size, toAppError(error))
    }
  }

  /** Throws when none can be begun. */
  #sessionFor(opening: Opening, lease: string | undefined): LaneSession {
    const last = this.#session
    if (last?.isFor(opening, lease)) return last
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
    if (!isPurged) this.#refuse(lostBytes, error)
  }

  /** From the first byte that is refused on, all are. */
  #refuse(bytes: number, error: AppError): void {
    if (bytes > 0) this.#options.onRefused(bytes)
    if (this.#failure !== null) return
    this.#failure = error
    this.#options.onFailed(error)
  }
}

function unplugged(): AppError {
  return new AppError("device_offline", "The device was not there when these bytes came in.")
}
