import {
  AppError,
  type DecodedReply,
  type Destination,
  decodeReply,
  type Payload,
  parseProgress,
  type ReplyAddress,
  ReplyParcel,
  type WriteProgress,
} from "@serialcast/contract"
import { type Clock, createDeferred, type Timer } from "@serialcast/primitives"
import type { CallOptions, Message } from "./client.ts"

// A call that waits long, as a write in a queue does, was most likely received: its payload is not sent again and again.
const minResendMs = 2_000
const maxResendMs = 30_000
const maxPendingCalls = 4_096

/** Hands a message to the connection; undefined when there is none. Rejects with `overloaded` when nothing is sent. */
type Send = (destination: Destination, payload: Payload) => Promise<void> | undefined

/** Calls that wait for their reply, by id and part. */
export class PendingCalls {
  readonly #waiting = new Map<string, WaitingCall>()
  readonly #bySignal = new WeakMap<AbortSignal, Set<WaitingCall>>()
  readonly #clock: Clock
  readonly #send: Send
  #isClosed = false

  constructor(clock: Clock, send: Send) {
    this.#clock = clock
    this.#send = send
  }

  /** Gives a reply to the call that waits for it; false when none does (late, repeated, or nobody's call). */
  receive(message: Pick<Message, "payload" | "parcel">): boolean {
    const { parcel } = message
    const reply = parcel instanceof ReplyParcel ? parcel.decoded : decodeReply(message.payload)
    const waiting = reply === undefined ? undefined : this.#findWaiting(reply)
    if (reply === undefined || waiting === undefined) return false
    const progress = "reply" in reply ? parseProgress(reply.reply) : undefined
    if (progress === undefined) waiting.reply.resolve(reply)
    else waiting.goOn(progress)
    return true
  }

  async request(call: CallOptions): Promise<DecodedReply> {
    const { signal } = call
    if (this.#isClosed) throw clientClosed()
    if (signal?.aborted) throw callerGone()
    const key = keyOf(call)
    if (this.#waiting.has(key)) throw new RangeError(`call ${key} waits for its reply already`)
    if (this.#waiting.size >= maxPendingCalls) {
      throw new AppError("overloaded", `${maxPendingCalls} calls wait for their reply already.`)
    }
    const waiting = new WaitingCall(call, this.#clock, this.#send)
    this.#waiting.set(key, waiting)
    const ofSignal = signal === undefined ? undefined : this.#endedBy(signal)
    ofSignal?.add(waiting)
    waiting.send()
    try {
      return await waiting.reply.promise
    } finally {
      waiting.end()
      ofSignal?.delete(waiting)
      this.#waiting.delete(key)
    }
  }

  /** Sends the calls that wait, again or for the first time: there is a new connection, or somebody new to answer. */
  sendAgain(isMeant: (destination: Destination) => boolean = () => true): void {
    for (const waiting of this.#waiting.values()) {
      if (isMeant(waiting.destination)) waiting.sendAnew()
    }
  }

  /** Refuses every call that waits, and later ones. */
  close(): void {
    this.#isClosed = true
    for (const { reply } of this.#waiting.values()) reply.reject(clientClosed())
  }

  /**
   * The calls that end with a signal. It has one listener for all of them: a session has hundreds, one after the other, and an
   * engine looks through those that are there for each that comes.
   */
  #endedBy(signal: AbortSignal): Set<WaitingCall> {
    const known = this.#bySignal.get(signal)
    if (known !== undefined) return known
    const calls = new Set<WaitingCall>()
    signal.addEventListener("abort", () => {
      for (const { reply } of calls) reply.reject(callerGone())
    })
    this.#bySignal.set(signal, calls)
    return calls
  }

  #findWaiting(reply: DecodedReply): WaitingCall | undefined {
    const waiting = this.#waiting.get(keyOf(reply))
    // A refused part refuses the call as a whole; for its last part, only the whole waits.
    return waiting ?? ("error" in reply ? this.#waiting.get(reply.id) : undefined)
  }
}

class WaitingCall {
  readonly reply = createDeferred<DecodedReply>()
  readonly #call: CallOptions
  readonly #clock: Clock
  readonly #send: Send
  /** The pause before the next sending. */
  #resendMs = minResendMs
  /** How often a connection took it, or may have: above 0 the agent may have it. */
  #sendings = 0
  /** Why a connection did not take it. */
  #refusal: AppError | null = null
  #resend: Timer | null = null
  #deadline: Timer

  constructor(call: CallOptions, clock: Clock, send: Send) {
    this.#call = call
    this.#clock = clock
    this.#send = send
    this.#deadline = this.#startDeadline()
  }

  get destination(): Destination {
    return this.#call.destination
  }

  /** Sends it now, and again after a pause. */
  send(): void {
    this.#startPause()
    const sending = this.#send(this.#call.destination, this.#call.payload)
    if (sending === undefined) return
    this.#sendings++
    this.#resendMs = Math.min(this.#resendMs * 2, maxResendMs)
    sending.catch((error: Error) => {
      if (!(error instanceof AppError)) return this.reply.reject(error)
      // The connection died or is full: the next attempt may find it better, the deadline ends it.
      if (error.code !== "overloaded") return
      this.#sendings--
      this.#refusal = error
      this.#resendMs = minResendMs
    })
  }

  sendAnew(): void {
    this.#resendMs = minResendMs
    this.send()
  }

  /** It is being worked on: the time that it may take starts anew. */
  goOn(progress: WriteProgress): void {
    this.#deadline.cancel()
    this.#deadline = this.#startDeadline()
    // Whoever tells of it has it, and is asked again when nothing more is told.
    this.#resendMs = minResendMs
    this.#startPause()
    this.#call.onProgress?.(progress)
  }

  end(): void {
    this.#resend?.cancel()
    this.#deadline.cancel()
  }

  #startPause(): void {
    this.#resend?.cancel()
    this.#resend = this.#clock.startTimer(this.#resendMs, () => this.send())
  }

  #startDeadline(): Timer {
    return this.#clock.startTimer(this.#call.timeoutMs, () => {
      const never = this.#refusal ?? neverSent(this.#call)
      this.reply.reject(this.#sendings > 0 ? noReply(this.#call) : never)
    })
  }
}

function noReply({ destination, timeoutMs }: CallOptions): AppError {
  return new AppError("no_reply", `Nobody answered on ${destination.topic} within ${timeoutMs / 1000} s.`)
}

function neverSent({ timeoutMs }: CallOptions): AppError {
  return new AppError("broker_offline", `There was no broker connection for ${timeoutMs / 1000} s.`)
}

function clientClosed(): AppError {
  return new AppError("broker_offline", "The broker client was closed.")
}

function callerGone(): AppError {
  return new AppError("aborted", "The caller went away.")
}

function keyOf({ id, part }: ReplyAddress): string {
  return part === undefined ? id : `${id}#${part}`
}
