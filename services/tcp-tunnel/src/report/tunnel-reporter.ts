import { type BrokerClient, type Message, OwnWords } from "@serialcast/broker-client"
import { AppError, encodeReply, parseDiscovery, type TunnelState } from "@serialcast/contract"
import { type Clock, createWakeup, delay, withDeadline, within } from "@serialcast/primitives"
import type { Logger } from "@serialcast/service-kit"
import { fitReport } from "./fit-report.ts"

/** Reports are at least this far apart, in milliseconds: a client that comes and goes in a loop costs the broker little. */
const pauseMs = 100
/** How often byte counters that moved are told, in milliseconds. */
const countersMs = 1_000
const goodbyeMs = 1_000

export interface TunnelReporterDeps {
  /** Taken over: started, and closed at the end. `connectReporter` makes it. */
  readonly broker: BrokerClient
  readonly clock: Clock
  readonly log: Pick<Logger, "debug" | "warn">
  /** What there is to tell now. */
  readonly states: () => readonly TunnelState[]
}

/** Keeps the retained report of this service's tunnels on the broker, and tells it to whoever asks. */
export interface TunnelReporter {
  /** Something else than a byte counter is different: it is told at once, or as soon as the pace allows. */
  changed(): void
  /** Takes the report off the broker, and closes the connection. Takes 3 s at most. */
  stop(): Promise<void>
}

/** Throws `unauthorized` when the broker refuses the subscription to `_discover`. */
export async function createTunnelReporter(deps: TunnelReporterDeps): Promise<TunnelReporter> {
  const reporter = new Reporter(deps)
  await reporter.start()
  return reporter
}

class Reporter implements TunnelReporter {
  readonly #deps: TunnelReporterDeps
  readonly #started: string
  readonly #news = createWakeup()
  readonly #stopping = new AbortController()
  /** A change came while nobody waited for one. */
  #hasNews = true
  /** What this connection's broker has; null: nothing yet. */
  #told: string | null = null
  readonly #words = new OwnWords()

  constructor(deps: TunnelReporterDeps) {
    this.#deps = deps
    this.#started = new Date(deps.clock.nowMs()).toISOString()
  }

  async start(): Promise<void> {
    const { broker } = this.#deps
    await broker.subscribe(broker.topics.discover(), (message) => this.#answer(message))
    await broker.subscribe(broker.topics.tunnels(broker.clientId), (message) => this.#hear(message))
    broker.onConnected(() => {
      this.#words.forget()
      this.#told = null
      this.changed()
    })
    broker.start()
    void this.#run()
  }

  changed(): void {
    this.#hasNews = true
    this.#news.wake()
  }

  async stop(): Promise<void> {
    const { broker, clock } = this.#deps
    this.#stopping.abort()
    await this.#withdraw()
    // A broker that takes nothing is waited for longer by the client than a stop may take.
    await within(broker.close(), { clock, timeoutMs: goodbyeMs })
  }

  async #run(): Promise<void> {
    const { broker, clock } = this.#deps
    const { signal } = this.#stopping
    while (!signal.aborted) {
      if (!this.#hasNews) await this.#news.wait({ signal, timeout: { clock, ms: countersMs } })
      this.#hasNews = false
      // The next connect is news.
      if (signal.aborted || !broker.isConnected) continue
      await this.#tell()
      await delay(clock, pauseMs, signal)
    }
  }

  async #tell(): Promise<void> {
    const { broker, log } = this.#deps
    const text = JSON.stringify(this.#report())
    if (text === this.#told) return
    this.#told = text
    const destination = broker.topics.tunnels(broker.clientId)
    const payload = new TextEncoder().encode(text)
    this.#words.said(destination.topic, payload)
    try {
      await broker.publish(destination, payload)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      // Tried again at the pace of the counters, and at once after the next connect.
      this.#told = null
      log.debug({ reason: error.message }, "report not sent")
    }
  }

  /** Who clears or overwrites the report by mistake hides no tunnel for long: it is told again. */
  #hear({ topic, payload, retained }: Message): void {
    if (retained || this.#stopping.signal.aborted || !this.#words.isForeign(topic, payload)) return
    this.#told = null
    this.changed()
  }

  #report() {
    return fitReport({ started: this.#started, tunnels: this.#deps.states() })
  }

  #answer({ payload }: Message): void {
    const { broker, log } = this.#deps
    const client = parseDiscovery(payload)
    if (client === undefined || this.#stopping.signal.aborted) return
    const body = { client: broker.clientId, tunnels: this.#report() }
    const reply = encodeReply({ id: "_discover" }, body, "cbor")
    broker.publish(broker.topics.reply(client), reply).catch((error: unknown) => {
      log.debug({ reason: String(error) }, "answer not sent")
    })
  }

  async #withdraw(): Promise<void> {
    const { broker, clock, log } = this.#deps
    if (!broker.isConnected) return
    const error = () => new AppError("broker_offline", "The broker did not take the last report.")
    const publication = broker.publish(broker.topics.tunnels(broker.clientId), new Uint8Array(0))
    await withDeadline(publication, { clock, timeoutMs: goodbyeMs, error }).catch((reason: unknown) => {
      // A broker that takes nothing is left without a word, and then the will says the same.
      log.warn({ reason: String(reason) }, "report not taken back")
    })
  }
}
