/*
 *   client                          server
 *   D D c1  ──────────────────→
 *           ←──────────────────  e1        either may begin, also in the middle of the other's attempt:
 *   c2      ──────────────────→            a server with D D e0, which makes the client begin anew,
 *           ←──────────────────  e2        a client with D D c1, which the server answers at any time
 *   c3      ──────────────────→
 *           ←──────────────────  e3
 *
 * As a table. `n` is the number of the far code that is awaited; an attempt that is put waits for its time, and awaits 1.
 * `first` is D D and e0 of a server, D D and c1 of a client.
 *
 *   state     what happens                              what it does
 *   -------   ---------------------------------------   ---------------------------------------------------------------
 *   any       begin; join of a client                   → 1: `first`, with the patience of a new round
 *   any       join of a server                          → put, for `joinMs`: it waits for the question
 *   any       a code of this end's own role             tells it
 *   any       a code that is none of synchronising      nothing
 *   n, put    far code n; c1 at any time, for a         → its number + 1: a server answers with that number, a client asks
 *             server                                    with the next one; after 3 it is done
 *   n         far code n - 1, but not e0                nothing: a repeat
 *   n         another far code                          the attempt has failed: → 1: `first`, or → put, when attempts follow
 *                                                       each other too fast
 *   put       another far code                          the same, but no attempt has failed
 *   n         the deadline                              the attempt has failed: → 1: `first`
 *   put       the deadline                              → 1: `first`
 */
import { after, longAgo, type MonotonicMs } from "@serialcast/primitives"
import { AttemptPace } from "./attempt-pace.ts"
import { codes, encodeCodes, hello, otherRole, type Role, syncCode, syncStep, syncSteps } from "./codes.ts"

/** What a code or the time made of the synchronising. */
export interface SyncProgress {
  /** To be sent at once. */
  readonly write: Uint8Array | null
  /** Both ends are agreed: what follows belongs to the next connection. */
  readonly isDone: boolean
  /** The far end said what only this end's role says: it has the same role, or the cable is looped back. */
  readonly isOwnRole: boolean
}

/** The question follows the far end's disconnects at once; much later it was lost. */
const joinMs = 500

const nothing: SyncProgress = { write: null, isDone: false, isOwnRole: false }

/**
 * Brings both ends of the cable to the same point, whatever is still in it: each answer shows that everything sent before
 * the question has passed. Works with the existing program in either role.
 *
 * Where it differs: a server answers the first question at any time, because a client that was restarted in
 * the middle of an attempt would otherwise wait for this end's time-out, and a code of the own role does not begin an
 * attempt at once, because on a looped cable that never ends. And it does not say hello when the client has begun.
 */
export class Synchronizer {
  readonly #role: Role
  readonly #pace = new AttemptPace()
  /** The number of the far code that is waited for. */
  #awaited = 1
  #deadlineMs = longAgo
  /** The attempt at `#deadlineMs` was decided on earlier, and only waited for its turn. */
  #isPut = false

  constructor(role: Role) {
    this.#role = role
  }

  /** When `tick` has something to do. */
  get deadlineMs(): MonotonicMs {
    return this.#deadlineMs
  }

  /** Begins a round, which ends the connection at the far end too; answers what is to be sent. */
  begin(nowMs: MonotonicMs): Uint8Array {
    this.#pace.beginRound()
    return this.#beginAttempt(nowMs)
  }

  /**
   * Joins the round that the far end has begun; answers what is to be sent. A server waits for the question first. Were it
   * to say hello, the client would ask anew and might take the answers to its earlier questions for those to the new
   * ones, whose disconnects would then end what comes next, at both ends, for ever.
   */
  join(nowMs: MonotonicMs): Uint8Array | null {
    if (this.#role === "client") return this.begin(nowMs)
    this.#pace.beginRound()
    this.#putAttempt(after(nowMs, joinMs))
    return null
  }

  /** Data is not told here: while synchronising it is of the past. */
  receive(code: number, nowMs: MonotonicMs): SyncProgress {
    if (syncStep(this.#role, code) !== null) return { ...nothing, isOwnRole: true }
    const step = syncStep(otherRole(this.#role), code)
    if (step === null) return nothing
    const isQuestion = this.#role === "server" && step === 1
    if (step === this.#awaited || isQuestion) return this.#goOn(step, nowMs)
    const isRepeat = step === this.#awaited - 1 && step !== hello
    return isRepeat ? nothing : this.#abandon(nowMs)
  }

  tick(nowMs: MonotonicMs): SyncProgress {
    if (nowMs < this.#deadlineMs) return nothing
    if (!this.#isPut) this.#pace.failAttempt()
    return { ...nothing, write: this.#beginAttempt(nowMs) }
  }

  #goOn(step: number, nowMs: MonotonicMs): SyncProgress {
    this.#isPut = false
    this.#awaited = step + 1
    this.#deadlineMs = after(nowMs, this.#pace.timeoutMs)
    const isDone = step === syncSteps
    // The server answers with the same number; the client asks the next question.
    const next = this.#role === "server" ? step : step + 1
    return { ...nothing, write: next > syncSteps ? null : encodeCodes(syncCode(this.#role, next)), isDone }
  }

  #abandon(nowMs: MonotonicMs): SyncProgress {
    if (!this.#isPut) this.#pace.failAttempt()
    const atMs = this.#pace.nextAttemptMs(nowMs)
    if (atMs <= nowMs) return { ...nothing, write: this.#beginAttempt(nowMs) }
    this.#putAttempt(atMs)
    return nothing
  }

  #putAttempt(atMs: MonotonicMs): void {
    this.#awaited = 1
    this.#deadlineMs = atMs
    this.#isPut = true
  }

  #beginAttempt(nowMs: MonotonicMs): Uint8Array {
    this.#pace.beginAttempt(nowMs)
    this.#awaited = 1
    this.#deadlineMs = after(nowMs, this.#pace.timeoutMs)
    this.#isPut = false
    // Twice: the far end may have the first half of a pair, and takes the first escape byte for the second.
    const first = syncCode(this.#role, this.#role === "server" ? hello : 1)
    return encodeCodes(codes.disconnect, codes.disconnect, first)
  }
}
