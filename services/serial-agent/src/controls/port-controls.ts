import {
  AppError,
  type ConfigureRequest,
  type MacroStep,
  type ModemLines,
  type PortSettings,
  type PurgeRequest,
  parseLineMacro,
  type SettingsInForce,
  type SignalRequest,
} from "@serialcast/contract"
import type { Journal } from "@serialcast/journal"
import { type OpenPort, playMacro } from "@serialcast/ports"
import { type Clock, createDeferred, withDeadline } from "@serialcast/primitives"
import type { WriteLease } from "../leases/write-lease.ts"
import type { Turn, TurnOptions } from "../turns/turn.ts"
import type { TurnQueue } from "../turns/turn-queue.ts"
import { takenBack } from "../writes/write-queue.ts"
import { KnownLines } from "./known-lines.ts"

// Settings and lines are one system call each; a driver that takes longer is stuck.
const answerMs = 10_000

export interface PortControlsDeps {
  readonly turns: TurnQueue
  readonly lease: Pick<WriteLease, "whyNot">
  readonly journal: Pick<Journal, "mark" | "opens">
  readonly clock: Clock
  /** What the port is asked for until somebody changes it. */
  readonly settings: PortSettings
  /** Settings or lines changed. */
  readonly onChange: () => void
}

/** What a control says about its turn. */
interface Asked extends Pick<TurnOptions, "open" | "session" | "seq" | "lease"> {
  readonly id: string
  readonly now?: boolean
}

/** How long a port may take, and what is done when it takes longer. */
interface Patience {
  readonly timeoutMs?: number
  /** The code of what the port itself refuses. */
  readonly refusal?: "device_offline" | "bad_request"
  readonly onStuck?: () => void
}

/** Settings and modem lines of one device, changed in turn with its writes. */
export class PortControls {
  readonly #deps: PortControlsDeps
  readonly #lines: KnownLines
  #wanted: PortSettings

  constructor(deps: PortControlsDeps) {
    this.#deps = deps
    this.#wanted = deps.settings
    this.#lines = new KnownLines(deps)
  }

  /** What the port has, or is asked for when it opens. */
  get settings(): SettingsInForce {
    return this.#deps.turns.port?.settings ?? this.#wanted
  }

  /** What the port is asked for at each opening. */
  get wanted(): PortSettings {
    return this.#wanted
  }

  /** null when the port has none, or is closed. */
  get lines(): ModemLines | null {
    return this.#lines.lines
  }

  attach(port: OpenPort): void {
    this.#lines.attach(port)
  }

  detach(): void {
    this.#lines.detach()
  }

  /**
   * Changes settings, of a closed port for when it opens, and answers what is in force. What an open port does not take is
   * named there, and not asked for again. Throws as `TurnQueue.add` refuses, and `bad_request`.
   */
  async configure(client: string, request: ConfigureRequest): Promise<SettingsInForce> {
    const { by, lease, open, settings } = request
    const change = definedIn(settings)
    if (this.#deps.turns.port === null) {
      if (open !== undefined && open !== this.#deps.journal.opens)
        throw new AppError("expired", "The device was plugged in again since this was asked for.")
      const refusal = this.#deps.lease.whyNot(lease)
      if (refusal !== null) throw refusal
      return this.#keep({ ...this.#wanted, ...change }, by)
    }
    return await this.#inTurn(client, request, async (port) => {
      const wanted = { ...this.#wanted, ...change }
      // Meanwhile it is not read, and afterwards nobody knows which it has: the next opening makes those that are kept.
      const onStuck = () => void port.close()
      await this.#inTime(port.configure(wanted), { refusal: "bad_request", onStuck })
      return this.#keep(restored(wanted, port.settings.unsupported ?? [], this.#wanted), by)
    })
  }

  /** Sets lines, and answers all as they are then. Throws as `TurnQueue.add` refuses, `bad_request`, `no_modem_lines`. */
  async signal(client: string, request: SignalRequest): Promise<ModemLines | null> {
    const { by, macro, dtr, rts, break: isBreak } = request
    const steps: readonly MacroStep[] =
      macro === undefined
        ? [{ kind: "set", ...definedIn({ dtr, rts, break: isBreak }) }]
        : parseLineMacro(macro)
    const timeoutMs = answerMs + steps.reduce((sum, step) => sum + (step.kind === "wait" ? step.ms : 0), 0)
    return await this.#inTurn(client, request, async (port, signal) => {
      using _signalling = this.#lines.signalling()
      const ending = new AbortController()
      signal.addEventListener("abort", () => ending.abort())
      try {
        const playing = playMacro(steps, { port, clock: this.#deps.clock, signal: ending.signal })
        await this.#inTime(playing, { timeoutMs, onStuck: () => ending.abort() })
        if (steps.some((step) => step.kind === "set" && step.break === true))
          this.#deps.journal.mark("rx", { kind: "break", by })
      } catch (error) {
        signal.throwIfAborted()
        throw error
      } finally {
        // Of a macro that failed, some steps were played.
        if (!signal.aborted) this.#lines.set(await this.#inTime(port.readLines()), by)
      }
      return this.lines
    })
  }

  /** The lines as they are now; null when the port has none. Throws `device_offline`. */
  async readLines(): Promise<ModemLines | null> {
    const { port } = this.#deps.turns
    if (port === null) throw new AppError("device_offline", "The port is not open.")
    return await this.#lines.read(port, (reading) => this.#inTime(reading))
  }

  /**
   * Takes back all writes of the client, and drops what the port has of one. The holder of the lease stops anybody's
   * write; without one, what another client is writing goes on, and the port keeps it.
   */
  async purge(client: string, request: PurgeRequest): Promise<void> {
    const { turns } = this.#deps
    const refusal = turns.whyNot(request)
    if (refusal !== null) throw refusal
    const { current } = turns
    turns.withdraw((turn) => turn !== current && turn.kind === "write" && turn.client === client, takenBack())
    if (current === null) return await this.#inTurn(client, request, (port) => this.#inTime(port.purge()))
    const isTheirs = current.client === client || request.lease !== undefined
    if (current.kind === "write" && isTheirs) await turns.purgeCurrent(takenBack())
  }

  #keep(wanted: PortSettings, by: string): SettingsInForce {
    this.#wanted = wanted
    const { settings } = this
    this.#deps.journal.mark("rx", { kind: "settings", by, settings })
    this.#deps.onChange()
    return settings
  }

  #inTurn<T>(
    client: string,
    { id, now, open, session, seq, lease }: Asked,
    act: (port: OpenPort, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const done = createDeferred<T>()
    const turn: Turn = {
      kind: "control",
      id,
      client,
      open,
      session,
      seq,
      lease,
      isNow: now,
      sizeBytes: 0,
      run: async (port, signal) => done.resolve(await act(port, signal)),
      refuse: done.reject,
    }
    this.#deps.turns.add(turn)
    return done.promise
  }

  async #inTime<T>(
    work: Promise<T>,
    { timeoutMs = answerMs, refusal = "device_offline", onStuck = () => {} }: Patience = {},
  ): Promise<T> {
    const error = () => {
      onStuck()
      return new AppError("device_offline", `The port did not answer for ${timeoutMs / 1000} s.`)
    }
    try {
      return await withDeadline(work, { clock: this.#deps.clock, timeoutMs, error })
    } catch (cause) {
      if (cause instanceof AppError) throw cause
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new AppError(refusal, `The port refused it: ${reason}.`, { cause })
    }
  }
}

/** Without what is undefined, so that it does not come over what is there. */
function definedIn<T extends object>(change: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  const defined = Object.entries(change).filter(([, value]) => value !== undefined)
  // Object.fromEntries does not say that the keys and their types are still those of `change`.
  return Object.fromEntries(defined) as { [Key in keyof T]?: Exclude<T[Key], undefined> }
}

/** `settings`, with those named as they were `before`. */
function restored(settings: PortSettings, names: readonly string[], before: PortSettings): PortSettings {
  return {
    ...settings,
    ...Object.fromEntries(Object.entries(before).filter(([name]) => names.includes(name))),
  }
}
