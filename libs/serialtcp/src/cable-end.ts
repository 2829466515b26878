/*
 *                 stuffed data, codes                    data, codes
 *   TCP ─→ tcpReceived ─→ write ─→ line          line ─→ received ─→ deliver ─→ TCP
 *
 *   syncing ─→ idle ─→ calling (server) or dialing (client) ─→ open ─→ syncing …
 */
import { after, earliest, type MonotonicMs, never } from "@serialcast/primitives"
import type { CableAction, CableInput, CableReport, CloseReason } from "./cable-events.ts"
import { codes, encodeCodes, hello, type Role, syncCode } from "./codes.ts"
import { Ending, type EndingTimes } from "./ending.ts"
import { Farewell } from "./farewell.ts"
import { LineDecoder } from "./line-decoder.ts"
import { stuffBytes } from "./stuff-bytes.ts"
import { Synchronizer, type SyncProgress } from "./synchronizer.ts"

export interface CableEndOptions {
  readonly role: Role
  /**
   * How long the line is silent before a disconnect, in milliseconds. Default 50: one was enough on a pseudo-terminal,
   * but USB adapters gather what they read.
   */
  readonly silenceMs?: number | undefined
  /** How long the far end may still answer after this TCP side's end, in milliseconds. Default 1,000. */
  readonly graceMs?: number | undefined
  /** How long a connection may take to be made, in milliseconds. Default 10,000, as the existing program. */
  readonly connectTimeoutMs?: number | undefined
  /** After what time of synchronising in vain a report is made, in milliseconds; it goes on. Default: never. */
  readonly syncTimeoutMs?: number | undefined
}

type State =
  | { readonly kind: "stopped" }
  /** `reportAtMs`: when it has taken too long. `farewell`: of the connection that the far end has ended; null: it is over. */
  | { readonly kind: "syncing"; reportAtMs: MonotonicMs; farewell: Farewell | null }
  | { readonly kind: "idle" }
  | { readonly kind: "calling" | "dialing"; readonly deadlineMs: MonotonicMs }
  /** `isStarted`: the far end's bytes are this connection's. `ending`: this TCP side sends no more. */
  | { readonly kind: "open"; isStarted: boolean; ending: Ending | null }

/** What the far end says first, by this end's role. */
const firstQuestion = { server: syncCode("client", 1), client: syncCode("server", hello) } as const

export type CablePhase = State["kind"]

/**
 * One end of a serial cable that carries one TCP connection at a time, without I/O: it is told what happens, and answers
 * what is to be done. On the line it is the same as the program serialtcp in either role.
 *
 * Nothing is held here: data passes in the call that brings it. The caller reads TCP only while `takesTcp` and at the
 * pace of its line, and ends a connection (`tcpBroken`) whose TCP side does not keep pace with the line.
 */
export class CableEnd {
  readonly #role: Role
  readonly #times: EndingTimes
  readonly #connectTimeoutMs: number
  readonly #syncTimeoutMs: number
  readonly #decoder = new LineDecoder()
  readonly #synchronizer: Synchronizer
  #state: State = { kind: "stopped" }
  #waiting = 0
  #isRoleReported = false
  #actions: CableAction[] = []

  constructor({ role, silenceMs = 50, graceMs = 1_000, ...options }: CableEndOptions) {
    this.#role = role
    this.#times = { silenceMs, graceMs }
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 10_000
    this.#syncTimeoutMs = options.syncTimeoutMs ?? Number.POSITIVE_INFINITY
    this.#synchronizer = new Synchronizer(role)
  }

  get phase(): CablePhase {
    return this.#state.kind
  }

  /** Whether bytes of the TCP side may be told. */
  get takesTcp(): boolean {
    return this.#state.kind === "open" && this.#state.ending === null
  }

  /** When `timePassed` is to be told; null: never, as things are. */
  get deadlineMs(): MonotonicMs | null {
    const state = this.#state
    switch (state.kind) {
      case "syncing":
        return earliest(this.#synchronizer.deadlineMs, state.reportAtMs, state.farewell?.deadlineMs ?? never)
      case "calling":
      case "dialing":
        return state.deadlineMs
      case "open":
        return state.ending?.deadlineMs ?? null
      case "idle":
      case "stopped":
        return null
    }
  }

  /** Answers what is to be done, in order. */
  handle(input: CableInput, nowMs: MonotonicMs): readonly CableAction[] {
    if (input.kind === "started" || this.#state.kind !== "stopped") this.#take(input, nowMs)
    const actions = this.#actions
    this.#actions = []
    return actions
  }

  #take(input: CableInput, nowMs: MonotonicMs): void {
    switch (input.kind) {
      case "started":
        return this.#beginRound(this.#synchronizer.begin(nowMs), nowMs)
      case "received":
        return this.#receive(input.bytes, nowMs)
      case "drained":
        if (this.#state.kind === "open") this.#state.ending?.drained(nowMs)
        return
      case "torn":
        this.#decoder.reset()
        return this.#leave("torn", nowMs)
      case "timePassed":
        return this.#passTime(nowMs)
      case "stopped":
        return this.#stop()
      case "clientsWaited":
        this.#waiting = input.count
        return this.#callIfWaited(nowMs)
      case "dialed":
        if (this.#state.kind === "dialing") this.#open(codes.connected, codes.start)
        return
      case "dialFailed":
        if (this.#state.kind === "dialing") this.#fail("refused", nowMs)
        return
      case "tcpReceived":
        if (this.takesTcp) this.#write(stuffBytes(input.bytes))
        return
      case "tcpEnded":
        return this.#endTcp(true, nowMs)
      case "tcpBroken":
        return this.#endTcp(false, nowMs)
    }
  }

  #receive(bytes: Uint8Array, nowMs: MonotonicMs): void {
    for (const item of this.#decoder.decode(bytes)) {
      if (item.kind === "code") this.#takeCode(item.code, nowMs)
      else this.#takeData(item.bytes, nowMs)
    }
  }

  /** Before the far end's start, data is what an earlier connection left in the cable. */
  #takeData(bytes: Uint8Array, nowMs: MonotonicMs): void {
    const state = this.#state
    if (state.kind !== "open" || !state.isStarted) return
    state.ending?.heard(nowMs)
    if (state.ending?.isGraceful !== false) this.#actions.push({ kind: "deliver", bytes })
  }

  #takeCode(code: number, nowMs: MonotonicMs): void {
    const state = this.#state
    if (state.kind === "syncing") {
      const isOrderly = state.farewell?.receive(code) ?? null
      if (isOrderly !== null) this.#endFarewell(isOrderly)
      return this.#progress(this.#synchronizer.receive(code, nowMs), nowMs)
    }
    if (code === codes.disconnect) return this.#leave("farEnded", nowMs)
    if (state.kind === "idle" && this.#role === "client" && code === codes.connect) return this.#dial(nowMs)
    if (state.kind === "idle" && code === firstQuestion[this.#role]) return this.#rejoin(code, nowMs)
    if (state.kind === "calling" && code === codes.connected) return this.#open(codes.start)
    if (state.kind === "calling" && code === codes.failed) return this.#leave("refused", nowMs)
    // The server has begun the next connection, whose bytes must not be taken for more of this one. It may have joined a
    // round of this end's past, in which case it sent no disconnect.
    if (state.kind === "open" && code === codes.connect && this.#role === "client" && state.isStarted)
      return this.#leave("torn", nowMs)
    if (state.kind === "open" && code === codes.start && !state.isStarted) state.isStarted = true
    else this.#report({ kind: "strayCode", code })
  }

  /**
   * The far end begins a round, and its disconnects were lost. In a connection this would be a hint at most, because data
   * that lost a byte makes codes of others; the far end repeats its disconnects with each attempt.
   */
  #rejoin(code: number, nowMs: MonotonicMs): void {
    this.#leave("farEnded", nowMs)
    if (this.#role === "server") this.#progress(this.#synchronizer.receive(code, nowMs), nowMs)
  }

  #dial(nowMs: MonotonicMs): void {
    this.#actions.push({ kind: "dial" })
    this.#state = { kind: "dialing", deadlineMs: after(nowMs, this.#connectTimeoutMs) }
  }

  #passTime(nowMs: MonotonicMs): void {
    const state = this.#state
    const { deadlineMs } = this
    if (deadlineMs === null || nowMs < deadlineMs) return
    if (state.kind === "syncing") {
      if (state.farewell !== null && nowMs >= state.farewell.deadlineMs) this.#endFarewell(false)
      if (nowMs >= state.reportAtMs) {
        state.reportAtMs = never
        this.#report({ kind: "syncTimedOut", timeoutMs: this.#syncTimeoutMs })
      }
      this.#progress(this.#synchronizer.tick(nowMs), nowMs)
    }
    if (state.kind === "calling") this.#leave("unanswered", nowMs)
    if (state.kind === "dialing") this.#fail("unanswered", nowMs)
    if (state.kind === "open") {
      // Without this one the far end knows that it was no orderly end.
      if (state.ending?.isGraceful) this.#write(encodeCodes(codes.disconnect))
      this.#leave(state.ending?.isGraceful ? "ended" : "broken", nowMs)
    }
  }

  #progress({ write, isDone, isOwnRole }: SyncProgress, nowMs: MonotonicMs): void {
    if (write !== null) this.#write(write)
    if (isOwnRole && !this.#isRoleReported) {
      this.#isRoleReported = true
      this.#report({ kind: "sameRole" })
    }
    if (!isDone) return
    this.#state = { kind: "idle" }
    this.#report({ kind: "synchronised" })
    this.#callIfWaited(nowMs)
  }

  #callIfWaited(nowMs: MonotonicMs): void {
    if (this.#role !== "server" || this.#state.kind !== "idle" || this.#waiting === 0) return
    this.#waiting--
    this.#actions.push({ kind: "accept" })
    this.#write(encodeCodes(codes.connect))
    this.#state = { kind: "calling", deadlineMs: after(nowMs, this.#connectTimeoutMs) }
  }

  #open(...sent: readonly number[]): void {
    this.#write(encodeCodes(...sent))
    this.#state = { kind: "open", isStarted: false, ending: null }
    this.#report({ kind: "opened" })
  }

  /** A broken side is ended like one that sent its end, only that nothing is waited for that it would have taken. */
  #endTcp(isGraceful: boolean, nowMs: MonotonicMs): void {
    const state = this.#state
    if (state.kind === "calling" && !isGraceful) return this.#leave("broken", nowMs)
    if (state.kind !== "open") return
    if (state.ending === null) {
      state.ending = new Ending(this.#times, isGraceful)
      this.#actions.push({ kind: "drain" })
    } else if (!isGraceful) {
      state.ending.hurry()
    }
  }

  #fail(reason: CloseReason, nowMs: MonotonicMs): void {
    this.#write(encodeCodes(codes.failed))
    this.#leave(reason, nowMs)
  }

  /** Ends the connection, if there is one, and begins a round, or joins the one that the far end has begun. */
  #leave(reason: CloseReason, nowMs: MonotonicMs): void {
    // The far end throws away what is still in the cable.
    if (reason === "farEnded" || reason === "torn") this.#actions.push({ kind: "discard" })
    const isJoining = reason === "farEnded" || reason === "refused"
    const hasFarewell = this.#state.kind === "open" && reason === "farEnded"
    const farewell = hasFarewell ? new Farewell(firstQuestion[this.#role], nowMs) : null
    if (farewell === null) this.#endConnection(reason)
    const write = isJoining ? this.#synchronizer.join(nowMs) : this.#synchronizer.begin(nowMs)
    this.#beginRound(write, nowMs, farewell)
  }

  #endFarewell(isOrderly: boolean): void {
    this.#endConnection(isOrderly ? "farEnded" : "farBroken")
    if (this.#state.kind === "syncing") this.#state.farewell = null
  }

  #endConnection(reason: CloseReason): void {
    const state = this.#state
    const isFarewell = state.kind === "syncing" && state.farewell !== null
    if (!isFarewell && state.kind !== "calling" && state.kind !== "dialing" && state.kind !== "open") return
    // What never began, or is torn, must not look like a whole stream without a byte, or with all of them. The existing
    // program sends FIN in each case; on the line there is no difference.
    const isWhole = reason === "ended" || (isFarewell && reason === "farEnded")
    this.#actions.push({ kind: isWhole ? "end" : "reset" })
    this.#report({ kind: "closed", reason })
  }

  /**
   * The far end is told more than once, because what was taken back may have left half a pair in the cable, and so often that
   * with those of the next round it is never three times, which would be an orderly end: five times, or four.
   */
  #stop(): void {
    const { kind } = this.#state
    if (kind !== "syncing" && kind !== "idle") {
      this.#actions.push({ kind: "discard" })
      this.#write(encodeCodes(codes.disconnect, codes.disconnect, codes.disconnect))
    }
    this.#endConnection("stopped")
    this.#state = { kind: "stopped" }
  }

  #beginRound(write: Uint8Array | null, nowMs: MonotonicMs, farewell: Farewell | null = null): void {
    this.#state = { kind: "syncing", reportAtMs: after(nowMs, this.#syncTimeoutMs), farewell }
    this.#isRoleReported = false
    if (write !== null) this.#write(write)
  }

  #write(bytes: Uint8Array): void {
    this.#actions.push({ kind: "write", bytes })
  }

  #report(report: CableReport): void {
    this.#actions.push({ kind: "report", report })
  }
}
