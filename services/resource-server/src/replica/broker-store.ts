/*
 *   apply ─→ command topic ─→ broker ─→ every replica, in one order ─→ Replica ─→ what whoever asked publishes ─→ retained topics
 *                                                                                       └─→ outcome
 */
import type { BrokerClient, Message } from "@serialcast/broker-client"
import {
  after,
  type Clock,
  createDeferred,
  createWakeup,
  type Deferred,
  delay,
  msUntil,
  withDeadline,
} from "@serialcast/primitives"
import {
  type Change,
  checkChange,
  type Outcome,
  type Resource,
  type ResourceStore,
} from "@serialcast/resources"
import { RefusalLog } from "@serialcast/service-kit"
import { Inbox, readMessage } from "./inbox.ts"
import { join, type Known } from "./join.ts"
import { type Hello, parseAnswer, type ReplicaAnswer, type ReplicaMessage } from "./messages.ts"
import { Replica } from "./replica.ts"
import { allShards } from "./shards.ts"
import { Snapshots } from "./snapshots.ts"
import { brokerAway, notKnown } from "./unavailable.ts"
import { Voice } from "./voice.ts"
import { whyTooLong } from "./why-too-long.ts"

export interface BrokerStoreLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export interface BrokerStoreOptions {
  /** Of this store alone, not started yet. It is taken over. */
  readonly broker: BrokerClient
  readonly clock: Clock
  readonly log: BrokerStoreLog
  /** How many resources there may be. */
  readonly maxUri: number
  /** Of one value that somebody publishes, in bytes. */
  readonly maxBody: number
  /** Of all values together. */
  readonly maxBytes: number
  /** Uniform in [0, 1). */
  readonly random?: () => number
  /** How long another server may take to answer one that starts, in milliseconds. Default: 1,000. */
  readonly answerMs?: number
}

export interface BrokerStore extends ResourceStore {
  /** Whether it knows all that the others know, and can change it. */
  readonly isReady: boolean
  /** Resolves when it is ready; throws `StoreUnavailable` when that takes longer. */
  whenReady(timeoutMs: number): Promise<void>
  close(): Promise<void>
}

const nothing = new Uint8Array(0)
const defaultAnswerMs = 1_000
const applyMs = 10_000
const askAgainMs = 2_000
const lookAroundMs = 200
/** Of those that a line of the log is about. */
const maxNamed = 20

/** Resources that all servers at one broker share, kept in its retained messages. */
export async function createBrokerStore(options: BrokerStoreOptions): Promise<BrokerStore> {
  const store = new SharedStore(options)
  await store.start()
  return store
}

class SharedStore implements BrokerStore {
  readonly #options: BrokerStoreOptions
  readonly #broker: BrokerClient
  readonly #clock: Clock
  readonly #random: () => number
  readonly #pending = new Map<string, Deferred<Outcome>>()
  readonly #snapshots = new Snapshots()
  readonly #voice: Voice
  readonly #changed = createWakeup()
  readonly #stopping = new AbortController()
  #replica: Replica
  /** What is heard until it knows all. */
  #inbox: Inbox
  readonly #refusals: RefusalLog
  #isLive = false
  /** Wall time in milliseconds. */
  #since = 0
  #unanswered: string | null = null
  /** Of somebody who said late that it knows more. */
  #isAsking = false
  /** End the subscriptions to single resources. */
  readonly #asked: (() => void)[] = []
  /** What was known before the broker lost everything, until it is told all of it again. */
  #before: { readonly replica: Replica; lastId: string } | null = null

  constructor(options: BrokerStoreOptions) {
    const { broker, clock, random = Math.random } = options
    this.#options = options
    this.#broker = broker
    this.#voice = new Voice(broker, options)
    this.#clock = clock
    this.#random = random
    this.#refusals = new RefusalLog(clock)
    this.#replica = new Replica(clock, random)
    this.#inbox = new Inbox(clock, broker.clientId)
  }

  get isReady(): boolean {
    return this.#isLive && this.#before === null
  }

  get size(): number {
    return this.#shown.size
  }

  get(uri: string): Resource | undefined {
    return this.#shown.get(uri)
  }

  list(prefix?: string): readonly Resource[] {
    return this.#shown.list(prefix)
  }

  get #shown(): Replica {
    return this.#before?.replica ?? this.#replica
  }

  async start(): Promise<void> {
    const { topics } = this.#broker
    await this.#broker.subscribe(topics.resourceCommand(), ({ payload }) => this.#heardMessage(payload))
    await this.#broker.subscribe(topics.filter("resource"), (message) => this.#heardWord(message))
    for (const shard of allShards)
      await this.#broker.subscribe(topics.resourceIndex(shard), ({ payload }) => {
        this.#heardShard(shard, payload)
      })
    this.#broker.onReply((payload) => {
      const answer = parseAnswer(payload)
      if (answer !== undefined) this.#heardAnswer(answer)
    })
    this.#broker.onConnected(() => void this.#join())
    this.#broker.onDisconnected(() => this.#lost())
    this.#broker.start()
    void this.#lookAround()
  }

  async whenReady(timeoutMs: number): Promise<void> {
    const endMs = after(this.#clock.monotonicMs(), timeoutMs)
    while (!this.isReady) {
      const ms = msUntil(this.#clock, endMs)
      if (ms <= 0 || this.#stopping.signal.aborted) throw brokerAway()
      const timeout = { clock: this.#clock, ms }
      await this.#changed.wait({ timeout, signal: this.#stopping.signal })
    }
  }

  async apply(change: Change, signal?: AbortSignal): Promise<Outcome> {
    signal?.throwIfAborted()
    checkChange(change)
    if (!this.isReady) throw brokerAway()
    const added = "value" in change ? (change.value?.byteLength ?? 0) : 0
    if (added > 0 && this.#replica.valueBytes + added > this.#options.maxBytes)
      return { kind: "refused", why: "full", uri: change.kind === "addChild" ? change.parent : change.uri }
    const id = this.#voice.newId()
    const command = {
      id,
      at: this.#clock.nowMs(),
      seed: Math.floor(this.#random() * 2 ** 32),
      maxUri: this.#options.maxUri,
      change,
    }
    const outcome = createDeferred<Outcome>()
    this.#pending.set(id, outcome)
    try {
      const sent = this.#voice.toAll({ kind: "change", id, command })
      sent.catch((error: Error) => outcome.reject(notKnown(error)))
      const deadline = { clock: this.#clock, timeoutMs: applyMs, error: () => notKnown() }
      return await withDeadline(outcome.promise, deadline)
    } finally {
      this.#pending.delete(id)
    }
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    this.#lost()
    await this.#broker.close()
  }

  async #join(): Promise<void> {
    const inbox = this.#inbox
    const { log, answerMs = defaultAnswerMs } = this.#options
    const left = new AbortController()
    const stop = this.#broker.onDisconnected(() => left.abort())
    try {
      const known = await join({
        clock: this.#clock,
        inbox,
        answerMs,
        newId: () => this.#voice.newId(),
        ask: (uris) => this.#ask(uris),
        say: (message) => this.#voice.toAll(message),
        signal: AbortSignal.any([left.signal, this.#stopping.signal]),
      })
      if (inbox === this.#inbox && !left.signal.aborted) this.#goLive(known)
    } catch (error) {
      if (left.signal.aborted || this.#stopping.signal.aborted) return
      log.warn({ reason: String(error) }, "the broker does not say which resources there are; asking again")
      await delay(this.#clock, askAgainMs, left.signal)
      if (inbox === this.#inbox && !left.signal.aborted) void this.#join()
    } finally {
      stop()
    }
  }

  async #ask(uris: readonly string[]): Promise<void> {
    for (const uri of uris) {
      const filter = this.#broker.topics.resource(uri)
      const forget = await this.#broker.subscribe(filter, (message) => this.#heardWord(message))
      this.#asked.push(forget)
    }
  }

  /** From here on everything that is said is done as it comes. */
  #goLive({ known, rev, missing, unreadable, unanswered }: Known): void {
    const { log } = this.#options
    const { words, shards, buffered } = this.#inbox
    for (const forget of this.#asked.splice(0)) forget()
    const before = this.#shown
    // The broker says what it kept once in a connection: who asks a second time, and is not answered, hears no more of it.
    const isLost = before.size > 0 && (known.length === 0 || (this.#isAsking && unanswered !== null))
    if (missing.length > 0) log.warn(someOf(missing), "the broker has lost resources")
    if (unreadable.length > 0) log.warn(someOf(unreadable), "what the broker keeps there is no resource")
    this.#before = null
    this.#replica = new Replica(this.#clock, this.#random)
    this.#replica.restore(known, rev)
    this.#isLive = true
    this.#since = this.#clock.nowMs()
    this.#unanswered = unanswered
    for (const message of buffered ?? []) this.#do(message)
    for (const [uri, text] of words) this.#look(uri, text)
    // Whoever knew that something is not on the broker may be gone.
    this.#replica.doubtUnless((uri) => words.has(uri))
    for (const shard of allShards) this.#replica.heardShard(shard, shards.get(shard) ?? nothing)
    if (isLost) {
      log.warn({ count: before.size }, "resources are not heard of any more; the broker is told them again")
      void this.#tellAgain(before)
    }
    this.#inbox = new Inbox(this.#clock, this.#broker.clientId)
    this.#changed.wake()
  }

  /** Everybody who was there says it; what was said first, or is newer, counts. */
  async #tellAgain(replica: Replica): Promise<void> {
    const before = { replica, lastId: "" }
    this.#before = before
    const uris = replica.list().map(({ uri }) => uri)
    try {
      for (const [at, uri] of uris.entries()) {
        const id = this.#voice.newId()
        if (at === uris.length - 1) before.lastId = id
        await this.#voice.proposeAdoption(id, uri, replica.wordOn(uri))
      }
    } catch {
      // It is told again over the next connection.
    }
  }

  #toldAgain(): void {
    this.#before = null
    this.#changed.wake()
  }

  /**
   * Somebody answers late who knows all for longer: what it knows may be more than what the broker had. Of two, one is first
   * for both of them.
   */
  #heardAnswer(answer: ReplicaAnswer): void {
    if (!this.#isLive) return this.#inbox.heardAnswer(answer)
    if (answer.kind !== "here" || answer.id !== this.#unanswered) return
    const isFirst =
      answer.since === this.#since ? answer.from < this.#broker.clientId : answer.since < this.#since
    if (!isFirst) return
    this.#lost()
    this.#isAsking = true
    void this.#join()
  }

  #lost(): void {
    this.#isLive = false
    this.#isAsking = false
    this.#inbox = new Inbox(this.#clock, this.#broker.clientId)
    for (const outcome of this.#pending.values()) outcome.reject(notKnown())
    this.#changed.wake()
  }

  #heardMessage(payload: Uint8Array): void {
    const message = readMessage(payload)
    if (message === undefined) return
    if (this.#isLive) this.#do(message)
    else this.#inbox.heardMessage(message)
  }

  #heardWord({ topic, payload, retained }: Message): void {
    const parsed = this.#broker.topics.parse(topic)
    if (parsed?.kind !== "resource") return
    const text = new TextDecoder().decode(payload)
    if (this.#isLive) this.#look(parsed.uri, text)
    else this.#inbox.heardWord(parsed.uri, text, retained)
  }

  #heardShard(shard: string, payload: Uint8Array): void {
    if (this.#isLive) this.#replica.heardShard(shard, payload)
    else this.#inbox.heardShard(shard, payload)
  }

  #look(uri: string, text: string): void {
    try {
      if (this.#replica.heard(uri, text) === "known") return
      const why = whyTooLong({ uri, text, replica: this.#replica, limits: this.#options })
      if (why !== undefined) {
        this.#replica.putRight(uri)
        return this.#tellRefusal(uri, why)
      }
    } catch (error) {
      return this.#tellRefusal(uri, String(error))
    }
    this.#voice.proposeAdoption(this.#voice.newId(), uri, text).catch(() => {
      // It is looked at again once the connection is back.
    })
  }

  /** Sparsely: anybody may publish such things without end. */
  #tellRefusal(uri: string, reason: string): void {
    const line = this.#refusals.next(uri)
    if (line !== null)
      this.#options.log.warn({ uri, reason, ...line }, "what was published there is no resource")
  }

  #do(message: ReplicaMessage): void {
    const isOwn = message.by === this.#broker.clientId
    switch (message.kind) {
      case "hello":
        if (!isOwn) this.#answer(message)
        break
      case "fetch":
        if (message.from === this.#broker.clientId)
          void this.#voice.tellAll(message.by, this.#snapshots.answer(message))
        break
      case "change":
      case "adopt": {
        const { outcome, uris, shards } = this.#replica.apply(message)
        if (isOwn) void this.#keep(message.id, outcome, this.#voice.keep(this.#replica, uris, shards))
      }
    }
  }

  async #keep(id: string, outcome: Outcome, kept: Promise<void>): Promise<void> {
    try {
      await kept
      this.#pending.get(id)?.resolve(outcome)
      if (id === this.#before?.lastId) this.#toldAgain()
    } catch (error) {
      this.#pending.get(id)?.reject(notKnown(error))
    }
  }

  #answer(hello: Hello): void {
    this.#snapshots.take(hello, { known: this.#replica.known(), rev: this.#replica.rev })
    const here = { kind: "here", id: hello.id, from: this.#broker.clientId, since: this.#since } as const
    void this.#voice.answer(hello.by, [here])
  }

  /** Puts right what the one that should have done it did not. */
  async #lookAround(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await delay(this.#clock, lookAroundMs, signal)
      if (!this.#isLive) continue
      const { uris, shards } = this.#replica.overdue()
      if (uris.length + shards.length === 0) continue
      if (this.#refusals.next("") !== null)
        this.#options.log.info({ uris: uris.length, shards: shards.length }, "the broker is told again")
      await this.#voice.keep(this.#replica, uris, shards).catch(() => {
        // They stay overdue.
      })
    }
  }
}

function someOf(uris: readonly string[]): object {
  return { count: uris.length, uris: uris.slice(0, maxNamed) }
}
