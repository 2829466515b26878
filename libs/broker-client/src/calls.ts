import {
  AppError,
  type DecodedReply,
  type Destination,
  decodeReply,
  type ReplyAddress,
} from "@serialcast/contract"
import { type Clock, createDeferred, type Deferred, type Timer } from "@serialcast/primitives"
import type { CallOptions } from "./client.ts"

// A call that waits long, as a write in a queue does, was most likely received: its payload is not sent again and again.
const minResendMs = 2_000
const maxResendMs = 30_000
const maxPendingCalls = 4_096

/** Hands a message to the connection; undefined when there is none. Rejects with `overloaded` when nothing is sent. */
type Send = (destination: Destination, payload: Uint8Array) => Promise<void> | undefined

/** Calls that wait for their reply, by id and part. */
export class PendingCalls {
  readonly #waiting = new Map<string, WaitingCall>()
  readonly #clock: Clock
  readonly #send: Send
  #isClosed = false

  constructor(clock: Clock, send: Send) {
    this.#clock = clock
    this.#send = send
  }

  /** Gives a reply to the call that waits for it; false when none does (late, repeated, or nobody's call). */
  receive(payload: Uint8Array): boolean {
    const reply = decodeReply(payload)
    const waiting = reply === undefined ? undefined : this.#findWaiting(reply)
    if (reply === undefined || waiting === undefined) return false
    waiting.reply.resolve(reply)
    return true
  }

  async request(call: CallOptions): Promise<DecodedReply> {
    const { timeoutMs, signal } = call
    if (this.#isClosed) throw clientClosed()
    if (signal?.aborted) throw callerGone()
    const key = keyOf(call)
    if (this.#waiting.has(key)) throw new RangeError(`call ${key} waits for its reply already`)
    if (this.#waiting.size >= maxPendingCalls) {
      throw new AppError("overloaded", `${maxPendingCalls} calls wait for their reply already.`)
    }
    const waiting = this.#startSending(call)
    const { reply } = waiting
    this.#waiting.set(key, waiting)
    const expire = () =>
      reply.reject(waiting.sendings > 0 ? noReply(call) : (waiting.refusal ?? neverSent(call)))
    using _deadline = this.#clock.startTimer(timeoutMs, expire)
    const abort = () => reply.reject(callerGone())
    signal?.addEventListener("abort", abort)
    try {
      return await reply.promise
    } finally {
      waiting.timer?.cancel()
      signal?.removeEventListener("abort", abort)
      this.#waiting.delete(key)
    }
  }

  /** Sends every call that waits, again or for the first time: there is a new connection. */
  sendAll(): void {
    for (const waiting of this.#waiting.values()) {
      waiting.resendMs = minResendMs
      waiting.send()
    }
  }

  /** Refuses every call that waits, and later ones. */
  close(): void {
    this.#isClosed = true
    for (const { reply } of this.#waiting.values()) reply.reject(clientClosed())
  }

  #findWaiting(reply: DecodedReply): WaitingCall | undefined {
    const waiting = this.#waiting.get(keyOf(reply))
    // A refused part refuses the call as a whole; for its last part, only the whole waits.
    return waiting ?? ("error" in reply ? this.#waiting.get(reply.id) : undefined)
  }

  #startSending({ destination, payload }: CallOptions): WaitingCall {
    const send = () => {
      waiting.timer?.cancel()
      waiting.timer = this.#clock.startTimer(waiting.resendMs, send)
      const sending = this.#send(destination, payload)
      if (sending === undefined) return
      waiting.sendings++
      waiting.resendMs = Math.min(waiting.resendMs * 2, maxResendMs)
      sending.catch((error: Error) => {
        if (!(error instanceof AppError)) return waiting.reply.reject(error)
        // The connection died or is full: the next attempt may find it better, the deadline ends it.
        if (error.code !== "overloaded") return
        waiting.sendings--
        waiting.refusal = error
        waiting.resendMs = minResendMs
      })
    }
    const waiting: WaitingCall = {
      reply: createDeferred(),
      send,
      resendMs: minResendMs,
      sendings: 0,
      refusal: null,
      timer: null,
    }
    send()
    return waiting
  }
}

interface WaitingCall {
  readonly reply: Deferred<DecodedReply>
  /** Sends it now, and again later. */
  readonly send: () => void
  /** The pause before the next sending. */
  resendMs: number
  /** How often a connection took it, or may have: above 0 the agent may have it. */
  sendings: number
  /** Why a connection did not take it. */
  refusal: AppError | null
  timer: Timer | null
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
