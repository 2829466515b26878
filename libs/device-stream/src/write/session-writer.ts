/*
 *   write, configure, signal ─→ one turn after the other ─→ room for it? ─→ call {session, seq} ─→ agent
 *                                                             ▲                                      │
 *   flush ←── sum, or the first refusal in the order of seq ←─┴──────────── receipts ←───────────────┘
 */
import type { BrokerClient } from "@serialcast/broker-client"
import {
  AppError,
  type CallVerb,
  type DeviceState,
  type ModemLines,
  maxChunkBytes,
  maxSessionBytes,
  maxTtlMs,
  type PortSettings,
  parseLinesReply,
  parseSettingsReply,
  type SettingsInForce,
  toAppError,
  writeRequestSchema,
} from "@serialcast/contract"
import { type Clock, createWakeup, createWatchdog, Gate, type Watchdog } from "@serialcast/primitives"
import { callDevice } from "../device-call.ts"
import { cancelWrite } from "./cancel.ts"
import type { SignalChange } from "./controls.ts"

/** What a call costs beside its bytes, roughly: it bounds how many small ones are on their way. */
const callCostBytes = 1_024
/** Writes of a session wait for each other for as long as the device takes, so they get the longest time there is. */
const ttlMs = maxTtlMs
/** As long as a single write waits for others, and for its reply. */
const unansweredMs = 40_000

export interface WriterOptions {
  /** The principal who writes. */
  readonly by: string
  /** The fence of the lease it writes under. */
  readonly lease?: string | undefined
  /** Aborting takes back whatever has no receipt yet. */
  readonly signal: AbortSignal
}

/**
 * A session: writes and controls go to the port in the order of the calls here, without waiting for each one's receipt.
 * A refused one ends the session, and everything after it is refused too. Disposing it takes back what has no receipt.
 */
export interface DeviceWriter extends AsyncDisposable {
  /**
   * Resolves when the bytes are on their way: at most 256 KiB are, without receipt, so awaiting it follows the device's
   * pace. They must not change before `flush`. Rejects with the session's first refusal, or `no_reply` when nothing was
   * heard of it for 40 s.
   */
  write(bytes: Uint8Array): Promise<void>
  configure(settings: Partial<PortSettings>): Promise<SettingsInForce>
  signal(change: SignalChange): Promise<ModemLines | null>
  /** Resolves with the sum of bytes when all have their receipt; rejects with the first refusal. */
  flush(): Promise<{ readonly bytes: number }>
}

export interface WriterDeps {
  readonly broker: BrokerClient
  readonly clock: Clock
  /** As it is when the session begins: it is meant for this opening of the port. */
  readonly state: DeviceState
}

export function openSessionWriter(options: WriterOptions, deps: WriterDeps): DeviceWriter {
  return new SessionWriter(options, deps)
}

class SessionWriter implements DeviceWriter {
  readonly #options: WriterOptions
  readonly #deps: WriterDeps
  readonly #session = crypto.randomUUID()
  #seq = 0
  /** What is asked for first is done first, also when nobody awaits it. */
  readonly #turns = new Gate({ maxRunning: 1 })
  /** What all its writes have in common, when that is as it should be; else each is checked as a whole. */
  readonly #common: object | null
  /** Ids of the calls without receipt. */
  readonly #unsettled = new Set<string>()
  /** Aborted when none of them is waited for any more. */
  readonly #giveUp = new AbortController()
  #unsettledBytes = 0
  readonly #settled = createWakeup()
  /** Of the bytes so far, in the order of seq: it rejects with the first refusal, whichever reply came first. */
  #sum: Promise<number> = Promise.resolve(0)
  /** Why nothing more is taken. */
  #refusal: AppError | null = null
  #isTakenBack = false
  readonly #forgetSignal: () => void
  readonly #silence: Watchdog

  constructor(options: WriterOptions, deps: WriterDeps) {
    this.#options = options
    this.#deps = deps
    this.#common = commonOf(this.#session, options, deps)
    this.#silence = createWatchdog({
      clock: deps.clock,
      timeoutMs: unansweredMs,
      onSilence: () => this.#endForSilence(),
    })
    const { signal } = options
    const leave = () => this.#takeBack(takenBack())
    signal.addEventListener("abort", leave)
    this.#forgetSignal = () => signal.removeEventListener("abort", leave)
    if (signal.aborted) leave()
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#turns.run(async () => {
      for (let at = 0; at < bytes.byteLength; at += maxChunkBytes) {
        const piece = bytes.subarray(at, at + maxChunkBytes)
        await this.#roomFor(piece.byteLength)
        void this.#send(
          "write",
          { bytes: piece, ttlMs },
          { bytes: piece.byteLength, isChecked: this.#common !== null },
        )
      }
    })
  }

  async configure(settings: Partial<PortSettings>): Promise<SettingsInForce> {
    return parseSettingsReply(await this.#control("configure", { settings }))
  }

  async signal(change: SignalChange): Promise<ModemLines | null> {
    return parseLinesReply(await this.#control("signal", change))
  }

  async flush(): Promise<{ bytes: number }> {
    await this.#turns.run(async () => {})
    // Its rejection is the refusal.
    const bytes = await this.#sum.catch(() => 0)
    if (this.#refusal !== null) throw this.#refusal
    return { bytes }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#forgetSignal()
    this.#takeBack(takenBack())
    while (this.#unsettled.size > 0) await this.#settled.wait()
    this.#silence[Symbol.dispose]()
  }

  async #control(verb: CallVerb, body: object): Promise<Record<string, unknown>> {
    const { reply } = await this.#turns.run(async () => {
      await this.#roomFor(0)
      // In an object, so that the next turn does not wait for the reply.
      return { reply: this.#send(verb, body) }
    })
    return await reply
  }

  async #roomFor(bytes: number): Promise<void> {
    const isFull = () => this.#unsettledBytes + bytes + callCostBytes > maxSessionBytes
    while (this.#refusal === null && isFull()) await this.#settled.wait()
    if (this.#refusal !== null) throw this.#refusal
  }

  #send(
    verb: CallVerb,
    body: object,
    { bytes, isChecked }: { readonly bytes: number; readonly isChecked: boolean } = {
      bytes: 0,
      isChecked: false,
    },
  ): Promise<Record<string, unknown>> {
    const { broker, state } = this.#deps
    const { by, lease } = this.#options
    const id = crypto.randomUUID()
    const common = this.#common ?? { by, lease, session: this.#session, open: state.open }
    const request = { id, seq: this.#seq++, ...common, ...body }
    this.#unsettled.add(id)
    this.#unsettledBytes += bytes + callCostBytes
    this.#silence.tell()
    const reply = callDevice({
      broker,
      verb,
      address: state,
      request,
      isChecked,
      timeoutMs: ttlMs,
      signal: this.#giveUp.signal,
      onProgress: () => this.#silence.tell(),
    })
    const settle = () => {
      this.#unsettled.delete(id)
      this.#unsettledBytes -= bytes + callCostBytes
      if (this.#unsettled.size > 0) this.#silence.tell()
      else this.#silence.rest()
      this.#settled.wake()
    }
    reply.then(settle, settle)
    this.#sum = this.#sum.then(async (sum) => {
      await reply
      return sum + bytes
    })
    this.#sum.catch((error: unknown) => this.#refuse(toAppError(error)))
    return reply
  }

  /** The session's calls live as long as something is heard of one of them. */
  #endForSilence(): void {
    const text = `Nobody answered for ${unansweredMs / 1000} s; what came of the last writes is unknown.`
    this.#takeBack(new AppError("no_reply", text))
    this.#giveUp.abort()
  }

  #takeBack(why: AppError): void {
    this.#refuse(why)
    // Nothing was sent since the first time.
    if (this.#isTakenBack) return
    this.#isTakenBack = true
    const { broker, state } = this.#deps
    for (const write of this.#unsettled) {
      // Its own outcome tells what came of it.
      cancelWrite(broker, state, { by: this.#options.by, write }).catch(() => {})
    }
  }

  #refuse(error: AppError): void {
    // The agent's answer to a write that was taken back says how much of it was written.
    if (this.#refusal === null || this.#refusal.code === error.code) this.#refusal = error
    this.#settled.wake()
  }
}

/** null when it is not as the agent wants it: the agent says then what is wrong. */
function commonOf(
  session: string,
  { by, lease }: WriterOptions,
  { state: { open } }: WriterDeps,
): object | null {
  const common = { by, ...(lease === undefined ? {} : { lease }), session, open }
  const example = { ...common, id: session, seq: 0, bytes: new Uint8Array(0), ttlMs }
  return writeRequestSchema.safeParse(example).success ? common : null
}

function takenBack(): AppError {
  return new AppError("cancelled", "The writer was left before everything was written.")
}
