import { type BrokerClient, type Message, OwnWords } from "@serialcast/broker-client"
import { AppError, type Destination } from "@serialcast/contract"
import { type Clock, delay } from "@serialcast/primitives"
import { type Logger, RefusalLog } from "@serialcast/service-kit"

const retryMs = 100
// Who clears a topic in a loop is answered at this pace; who looks meanwhile asks the agents, too (`_discover`).
const sayAgainMs = 500
const nothing = new Uint8Array(0)

export interface RetainedWordsDeps {
  readonly broker: Pick<BrokerClient, "isConnected" | "onConnected" | "publish">
  readonly clock: Clock
  readonly log: Logger
}

/** What a topic is to hold now; undefined: nothing. */
export type Newest = () => Uint8Array | undefined

/** Keeps retained messages on the broker as they are to be, also when somebody else publishes on their topics. */
export class RetainedWords {
  readonly #deps: RetainedWordsDeps
  /** Topics whose publication waits for room on the connection: the newest is read when its time comes. */
  readonly #waiting = new Set<string>()
  readonly #words = new OwnWords()
  readonly #corrections = new Set<string>()
  readonly #news: RefusalLog

  constructor(deps: RetainedWordsDeps) {
    this.#deps = deps
    this.#news = new RefusalLog(deps.clock)
    deps.broker.onConnected(() => this.#words.forget())
  }

  /** Resolves when it is said, or lost with its connection: whoever connects anew says everything. */
  async say(destination: Destination, newest: Newest): Promise<void> {
    const { broker, clock, log } = this.#deps
    const { topic } = destination
    if (this.#waiting.has(topic)) return
    while (broker.isConnected) {
      // Nothing, retained, takes what was retained off the broker (MQTT-3.3.1-10).
      const payload = newest() ?? nothing
      this.#words.said(topic, payload)
      try {
        return await broker.publish(destination, payload)
      } catch (error) {
        if (!(error instanceof AppError)) throw error
        log.debug({ topic, reason: error.message }, "announcement not sent")
      }
      this.#waiting.add(topic)
      await delay(clock, retryMs)
      this.#waiting.delete(topic)
    }
  }

  /** Says it again within a second when what came on its topic is not what was said last. */
  async hear({ payload, retained }: Message, destination: Destination, newest: Newest): Promise<void> {
    const { broker, clock, log } = this.#deps
    const { topic } = destination
    // What is retained an earlier process or connection left there: it is replaced in any case.
    if (retained || !broker.isConnected || !this.#words.isForeign(topic, payload)) return
    if (this.#corrections.has(topic)) return
    const told = this.#news.next(topic)
    if (told !== null)
      log.warn({ topic, bytes: payload.byteLength, ...told }, "somebody else published here; saying it again")
    this.#corrections.add(topic)
    await delay(clock, sayAgainMs)
    this.#corrections.delete(topic)
    await this.say(destination, newest)
  }
}
