/*
 *   tell ─→ queue ─→ one request at a time ─→ receiver
 *             └─ full: dropped     └─ not taken: again after 1 s, 2 s, 4 s, 8 s; then given up
 */
import { type Clock, createBackoff, delay, within } from "@serialcast/primitives"
import { post } from "./post.ts"
import { signatureOf } from "./sign.ts"

/** Where events go, and what they are signed with. */
export interface HookTarget {
  readonly url: URL
  readonly secret: Uint8Array
  /** Of the product, for `User-Agent`. */
  readonly version: string
}

/** Has the name of the event, and tells whose request it is. */
export const deliveryHeader = "Serialcast-Delivery"

/** What became of one event. */
export type HookOutcome =
  | { readonly kind: "delivered" }
  /** `reason` as words for a log. */
  | { readonly kind: "failed"; readonly tries: number; readonly reason: string }
  /** There was no room for it. */
  | { readonly kind: "dropped" }

export interface WebhookDeps {
  readonly clock: Clock
  /** A name for each event, of letters, digits and dashes. */
  readonly newId: () => string
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly onOutcome: (outcome: HookOutcome) => void
}

/** As many events as a minute of busy clients has, and a receiver is away to be restarted. */
export const maxEvents = 256
export const maxQueuedBytes = 1024 * 1024
const maxTries = 5
const tryMs = 10_000
const firstPauseMs = 1_000
const maxPauseMs = 8_000
/** A receiver that is well needs less for what is left at the stop; a service has five seconds for all. */
const stopMs = 1_000

/** Sends the events of one webhook, in their order. */
export class Webhook {
  readonly #target: HookTarget
  readonly #deps: WebhookDeps
  /** The first one is on its way. */
  readonly #queue: Uint8Array[] = []
  readonly #stopping = new AbortController()
  readonly #cut = new AbortController()
  #bytes = 0
  #running: Promise<void> = Promise.resolve()

  constructor(target: HookTarget, deps: WebhookDeps) {
    this.#target = target
    this.#deps = deps
  }

  /** Takes an event as JSON, if there is room for it. */
  tell(body: Uint8Array): void {
    const isFull = this.#queue.length >= maxEvents || this.#bytes + body.byteLength > maxQueuedBytes
    if (isFull || this.#stopping.signal.aborted) return this.#deps.onOutcome({ kind: "dropped" })
    this.#queue.push(body)
    this.#bytes += body.byteLength
    if (this.#queue.length === 1) this.#running = this.#sendAll()
  }

  /** Lets what waits be tried once more, for a second; then ends what is on its way. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await within(this.#running, { clock: this.#deps.clock, timeoutMs: stopMs })
    this.#cut.abort()
    await this.#running
  }

  async #sendAll(): Promise<void> {
    for (;;) {
      const [body] = this.#queue
      if (body === undefined) return
      const outcome = await this.#send(body)
      this.#queue.shift()
      this.#bytes -= body.byteLength
      this.#deps.onOutcome(outcome)
    }
  }

  async #send(body: Uint8Array): Promise<HookOutcome> {
    const { clock, random, newId } = this.#deps
    const { signal } = this.#stopping
    const pauses = createBackoff({ minMs: firstPauseMs, maxMs: maxPauseMs, random })
    const id = newId()
    for (let tries = 1; ; tries++) {
      const refusal = await this.#try(body, id)
      if (refusal === null) return { kind: "delivered" }
      const isLast = tries === maxTries || refusal.isFinal || signal.aborted
      if (!isLast) await delay(clock, pauses.next(), signal)
      if (isLast || this.#cut.signal.aborted) return { kind: "failed", tries, reason: refusal.reason }
    }
  }

  /** null: it was taken. */
  async #try(
    body: Uint8Array,
    id: string,
  ): Promise<{ readonly isFinal: boolean; readonly reason: string } | null> {
    const { clock } = this.#deps
    const { url, secret, version } = this.#target
    const headers = {
      "Content-Type": "application/json",
      "User-Agent": `serialcast/${version}`,
      [deliveryHeader]: id,
      "Serialcast-Signature": signatureOf(secret, body, clock.nowMs()),
    }
    const posted = await post({ url, headers, body, clock, timeoutMs: tryMs, signal: this.#cut.signal })
    if (posted.kind === "failed") return { isFinal: false, reason: posted.reason }
    const { status } = posted
    if (status >= 200 && status < 300) return null
    return { isFinal: !mayPass(status), reason: `answered with ${status}` }
  }
}

/**
 * RFC 9110 §15.5.9 and §15.6, RFC 8470 §5.2, RFC 6585 §4: it may be otherwise later; of other answers it will not, nor of 508
 * (RFC 5842 §7.2), which is the answer of a resource that a webhook tells of.
 */
function mayPass(status: number): boolean {
  return (status >= 500 && status !== 508) || [408, 425, 429].includes(status)
}
