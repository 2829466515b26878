import type { BrokerClient } from "@serialcast/broker-client"
import { AppError } from "@serialcast/contract"
import { type Clock, createBackoff, createWakeup, delay } from "@serialcast/primitives"
import type { Logger } from "@serialcast/service-kit"

// As often as a lost broker is tried again.
const reclaim = { minMs: 100, maxMs: 5_000 }

export interface GatewayVoiceDeps {
  readonly broker: Pick<BrokerClient, "isConnected" | "onConnected" | "onDisconnected" | "publish" | "topics">
  /** Throws when the gateway's name cannot be had now. */
  readonly claim: () => Promise<void>
  readonly clock: Clock
  readonly log: Logger
  /** Uniform in [0, 1); spreads the attempts. */
  readonly random?: () => number
}

/**
 * The broker connection as the parts of one gateway may use it: connected only while the gateway's name is held, so
 * that two agents of one name never both announce, publish and answer for long.
 */
export interface GatewayVoice
  extends Pick<BrokerClient, "isConnected" | "onConnected" | "publish" | "topics"> {
  /** Gives the name up, and claims it again, ever less often, until it is free. False when it was not held. */
  yield(): boolean
  /** What a claim in progress still does ends with the connection. */
  stop(): void
}

/** Claims the gateway's name at each connect. */
export function createGatewayVoice(deps: GatewayVoiceDeps): GatewayVoice {
  return new ClaimedVoice(deps)
}

class ClaimedVoice implements GatewayVoice {
  readonly topics: BrokerClient["topics"]
  readonly #deps: GatewayVoiceDeps
  readonly #stopping = new AbortController()
  readonly #listeners = new Set<() => void>()
  readonly #changed = createWakeup()
  readonly #forget: readonly (() => void)[]
  #isHeld = false
  /** Counts connections: a claim counts for the connection on which it began. */
  #connection = 0
  /** Each trouble is told once. */
  #lastProblem = ""

  constructor(deps: GatewayVoiceDeps) {
    const { broker } = deps
    this.#deps = deps
    this.topics = broker.topics
    this.#forget = [
      broker.onConnected(() => {
        this.#connection++
        this.#changed.wake()
      }),
      broker.onDisconnected(() => {
        this.#isHeld = false
      }),
    ]
    void this.#run()
  }

  get isConnected(): boolean {
    return this.#isHeld && this.#deps.broker.isConnected
  }

  onConnected(listener: () => void): () => void {
    this.#listeners.add(listener)
    if (this.isConnected) listener()
    return () => this.#listeners.delete(listener)
  }

  readonly publish: BrokerClient["publish"] = (...message) => {
    if (this.#isHeld) return this.#deps.broker.publish(...message)
    return Promise.reject(new AppError("broker_offline", "The gateway's name is not held."))
  }

  yield(): boolean {
    if (!this.#isHeld) return false
    this.#isHeld = false
    this.#changed.wake()
    return true
  }

  stop(): void {
    this.#stopping.abort()
    this.#isHeld = false
    for (const forget of this.#forget) forget()
  }

  async #run(): Promise<void> {
    const { broker, clock, random = Math.random } = this.#deps
    const { signal } = this.#stopping
    const backoff = createBackoff({ ...reclaim, random })
    let tried = 0
    while (!signal.aborted) {
      if (this.#isHeld || !broker.isConnected) {
        await this.#changed.wait({ signal })
        continue
      }
      // The first claim of a connection is made at once, those after a refusal or a yield later and later.
      if (tried === this.#connection) await delay(clock, backoff.next(), signal)
      else backoff.reset()
      tried = this.#connection
      if (broker.isConnected && !signal.aborted) await this.#tryClaim()
    }
  }

  async #tryClaim(): Promise<void> {
    const connection = this.#connection
    try {
      await this.#deps.claim()
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      if (this.#stopping.signal.aborted) return
      if (error.message !== this.#lastProblem)
        this.#deps.log.warn({ code: error.code }, `${error.message} Trying again.`)
      this.#lastProblem = error.message
      return
    }
    if (connection !== this.#connection || this.#stopping.signal.aborted) return
    if (!this.#deps.broker.isConnected) return
    this.#lastProblem = ""
    this.#isHeld = true
    for (const listener of this.#listeners) listener()
  }
}
