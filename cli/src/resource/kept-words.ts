import type { BrokerClient, Message } from "@serialcast/broker-client"
import { AppError, type Destination, type Topics } from "@serialcast/contract"
import {
  after,
  type Clock,
  createWakeup,
  longAgo,
  type MonotonicMs,
  msUntil,
  withDeadline,
} from "@serialcast/primitives"
import { encodeRemoval } from "@serialcast/resource-server"
import type { CommandContext } from "../command/context.ts"
import type { OptionValues } from "../command/options.ts"
import type { connectionOptions } from "../gateway/connect.ts"
import { connectMs, openBroker } from "../gateway/open-broker.ts"

/** What was kept comes in one go; between two pieces of it brokers on the same network take milliseconds. */
const defaultQuietMs = 500
/** On topics where words never cease, what is known then counts. */
const settleMs = 10_000

const maxRecorded = 1_000

const encoder = new TextEncoder()

/** What came last on the topic of a resource. */
export interface Word {
  /** JSON of a resource; empty: there is none any more. */
  readonly text: string
  /** The broker kept it. */
  readonly isKept: boolean
}

interface WordsDeps {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Without a word for so long, the broker has no more. Default: 500 ms. */
  readonly quietMs?: number
}

/** Connects, and listens on topics of resources. Throws `broker_offline` when nobody answers within 5 s, and `bad_config`. */
export async function listenToResources(
  values: OptionValues<typeof connectionOptions>,
  filterOf: (topics: Topics) => Destination,
  { env, clock, signal }: Pick<CommandContext, "env" | "clock" | "signal">,
  options: Pick<WordsDeps, "quietMs"> = {},
): Promise<KeptWords> {
  const { broker, unreachable } = openBroker(values, { env, clock })
  const words = new KeptWords(broker, filterOf(broker.topics), { clock, signal, ...options })
  try {
    await words.open()
  } catch (cause) {
    await broker.close()
    throw unreachable(cause)
  }
  return words
}

/** The words on topics of resources, by uri, as the broker tells them. */
export class KeptWords implements AsyncDisposable {
  readonly #broker: BrokerClient
  readonly #filter: Destination
  readonly #deps: WordsDeps
  readonly #words = new Map<string, Word>()
  readonly #removals = new Map<string, number>()
  readonly #listeners = new Set<(uri: string, word: Word) => void>()
  readonly #news = createWakeup()
  #stop: () => void = () => {}
  #lastHeard = longAgo
  #count = 0
  #echoes = 0
  #echo = ""

  constructor(broker: BrokerClient, filter: Destination, deps: WordsDeps) {
    this.#broker = broker
    this.#filter = filter
    this.#deps = deps
    broker.onReply((payload) => this.#heardEcho(new TextDecoder().decode(payload)))
  }

  get words(): ReadonlyMap<string, Word> {
    return this.#words
  }

  /** Keeps what comes on the topic of one resource from now on, up to the last 1,000 words. */
  record(uri: string): readonly Word[] {
    const said: Word[] = []
    this.#listeners.add((at, word) => {
      if (at === uri) said.push(word)
      if (said.length > maxRecorded) said.shift()
    })
    return said
  }

  async open(): Promise<void> {
    await this.#subscribe()
    const { clock } = this.#deps
    const connected = new Promise<void>((resolve) => this.#broker.onConnected(resolve))
    this.#broker.start()
    const error = () => new AppError("broker_offline", "The broker did not answer in time.")
    await withDeadline(connected, { clock, timeoutMs: connectMs, error })
  }

  /** Asks for what is kept anew, as if nothing had been heard. */
  async reopen(): Promise<void> {
    this.#stop()
    this.#words.clear()
    await this.#subscribe()
  }

  /** Resolves when the broker has it. `text`: as `Word.text`. */
  async publish(uri: string, text: string): Promise<void> {
    await this.#broker.publish(this.#broker.topics.resource(uri), encoder.encode(text))
  }

  /** Tells the resource servers to remove it, whatever was removed there before. */
  async commandRemoval(uri: string): Promise<void> {
    const removal = encodeRemoval({ by: this.#broker.clientId, uri, atMs: this.#deps.clock.nowMs() })
    await this.#broker.publish(this.#broker.topics.resourceCommand(), removal)
  }

  /** How often it was said that there is none any more. */
  removals(uri: string): number {
    return this.#removals.get(uri) ?? 0
  }

  /**
   * Resolves when all that is kept has come: what this client told itself after it had subscribed came back, then nothing for
   * half a second, and nothing before what it told itself then; or as soon as `isEnough`. Throws `broker_offline` when the
   * broker brings nothing back.
   */
  async settled(isEnough: () => boolean = () => false): Promise<void> {
    const { clock, quietMs = defaultQuietMs } = this.#deps
    const endMs = after(clock.monotonicMs(), settleMs + quietMs)
    for (let isQuiet = false; ; isQuiet = true) {
      const count = this.#count
      await this.#echoed(endMs, isEnough)
      // After a machine stood still, what came meanwhile is read later than the clock.
      if (isQuiet && this.#count === count) return
      while (!isEnough() && msUntil(clock, after(this.#lastHeard, quietMs)) > 0) {
        if (msUntil(clock, endMs) <= 0) return
        await this.#wait(Math.min(msUntil(clock, after(this.#lastHeard, quietMs)), msUntil(clock, endMs)))
      }
      if (isEnough()) return
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#broker.close()
  }

  /** Until what it tells itself now is back. */
  async #echoed(endMs: MonotonicMs, isEnough: () => boolean): Promise<void> {
    this.#echoes += 1
    const text = `echo ${this.#echoes}`
    const { topics, clientId } = this.#broker
    await this.#broker.publish(topics.reply(clientId), encoder.encode(text))
    while (this.#echo !== text && !isEnough()) {
      const ms = msUntil(this.#deps.clock, endMs)
      if (ms <= 0) throw new AppError("broker_offline", "The broker did not say what it keeps.")
      await this.#wait(ms)
    }
  }

  /** For news. Throws `cancelled` at Ctrl-C. */
  async #wait(ms: number): Promise<void> {
    const { clock, signal } = this.#deps
    const end = await this.#news.wait({ signal, timeout: { clock, ms } })
    if (end === "aborted") throw new AppError("cancelled", "Stopped before the broker said what it keeps.")
  }

  async #subscribe(): Promise<void> {
    this.#stop = await this.#broker.subscribe(this.#filter, (message) => this.#heard(message))
  }

  #heard({ topic, payload, retained }: Message): void {
    const parsed = this.#broker.topics.parse(topic)
    if (parsed?.kind !== "resource") return
    const word = { text: new TextDecoder().decode(payload), isKept: retained }
    this.#words.set(parsed.uri, word)
    this.#count += 1
    if (word.text === "") this.#removals.set(parsed.uri, this.removals(parsed.uri) + 1)
    for (const listener of this.#listeners) listener(parsed.uri, word)
    this.#lastHeard = this.#deps.clock.monotonicMs()
    this.#news.wake()
  }

  #heardEcho(text: string): void {
    this.#echo = text
    this.#lastHeard = this.#deps.clock.monotonicMs()
    this.#news.wake()
  }
}
