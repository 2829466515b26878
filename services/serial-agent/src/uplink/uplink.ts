/*
 *   journal ─→ cursor of each stream ─→ stream topic (CBOR) ─→ broker
 *                                   └─→ rx topic (bare bytes)
 */
import type { BrokerClient } from "@serialcast/broker-client"
import {
  AppError,
  announceEveryMs,
  type Destination,
  type DeviceAddress,
  firstAnnounceMs,
  isMarkRecord,
  maxChunkBytes,
  type StreamName,
  StreamParcel,
  type StreamRecord,
} from "@serialcast/contract"
import type { Journal } from "@serialcast/journal"
import {
  answerBytes,
  type Clock,
  createWaiter,
  createWakeup,
  delay,
  longAgo,
  messageGatherMs,
  msSince,
  type Waiter,
  within,
} from "@serialcast/primitives"
import { comparePositions, endOf, type Position } from "@serialcast/records"

// After an outage, more than this is left to the readers to page: the newest bytes come first then.
const maxLagBytes = 1024 * 1024
const retryMs = 20
// At a stop: long enough for a broker that works, short enough to leave the rest of the 5 s to the others.
const flushMs = 1_000

const nothing = new Uint8Array(0)

export interface UplinkDeps {
  readonly broker: Pick<BrokerClient, "isConnected" | "onConnected" | "publish" | "topics">
  readonly address: DeviceAddress
  readonly journal: Journal
  /** After so long without a read the head is told, for those who wait for such a silence; null: nobody does. */
  readonly idleMs: number | null
  readonly clock: Clock
}

export interface Uplink {
  /** Publishes what the journal still has, for at most 1 s: closing the broker connection ends what then remains. */
  stop(): Promise<void>
}

/** Publishes both streams of a device, each at its own pace: at once when idle, in large chunks under load. */
export function startUplink(deps: UplinkDeps): Uplink {
  const pumps = [new Pump(deps, "rx"), new Pump(deps, "tx")]
  const running = Promise.all(pumps.map((pump) => pump.run()))
  return {
    async stop() {
      for (const pump of pumps) pump.stop()
      await within(running, { clock: deps.clock, timeoutMs: flushMs })
    },
  }
}

class Pump {
  readonly #deps: UplinkDeps
  readonly #stream: StreamName
  readonly #toServices: Destination
  readonly #toAnyone: Destination | null
  #cursor: Position
  /** How much was written to the device when something was published last. */
  #writtenBefore = 0
  /** After so long without anything to publish, one after the other, the head is told. */
  readonly #tellAfterMs: readonly number[]
  /** Those of them that are still to come; then it is told every `announceEveryMs`. */
  #waitsMs: readonly number[]
  /** When something was published last that is to be followed by more at once. */
  #publishedMs = longAgo
  readonly #waiter: Waiter
  /** Aborted by what ends a pause early: a connect, and the stop. */
  #waiting = new AbortController()
  #isStopping = false

  constructor(deps: UplinkDeps, stream: StreamName) {
    const { topics } = deps.broker
    this.#deps = deps
    this.#stream = stream
    this.#toServices = topics.device("stream", deps.address)
    this.#toAnyone = stream === "rx" ? topics.device("rx", deps.address) : null
    this.#tellAfterMs = tellTimes(stream === "rx" ? deps.idleMs : null)
    this.#waitsMs = this.#tellAfterMs
    this.#cursor = deps.journal.began(stream)
    this.#waiter = createWaiter(deps.journal.news[stream], { clock: deps.clock })
  }

  async run(): Promise<void> {
    const forget = this.#deps.broker.onConnected(() => this.#onConnected())
    // One that stands already is no return.
    this.#waitsMs = this.#tellAfterMs
    while (await this.#step());
    forget()
    this.#waiter[Symbol.dispose]()
  }

  stop(): void {
    this.#isStopping = true
    this.#endWaiting()
  }

  /** Readers that come back with the connection are told the head at once. */
  #onConnected(): void {
    this.#waitsMs = [0]
    if (this.#isStopping) return
    this.#endWaiting()
    this.#waiting = new AbortController()
  }

  #endWaiting(): void {
    this.#waiting.abort()
    this.#waiter.poke()
  }

  /** False when it is over: at a stop, once everything is published or cannot be. */
  async #step(): Promise<boolean> {
    const { broker, journal } = this.#deps
    if (!broker.isConnected) {
      journal.want(this.#stream, null)
      await untilAborted(this.#waiting.signal)
      this.#skipLag()
      return !this.#isStopping
    }
    if (comparePositions(this.#cursor, journal.head(this.#stream)) < 0) await this.#gather()
    if (this.#stream === "tx" && this.#lagBytes() > maxChunkBytes) return await this.#tellPlace()
    const records = journal.read(this.#stream, this.#keptCursor(), maxChunkBytes)
    // Bursts are faster than messages.
    if (this.#toAnyone !== null) journal.want(this.#stream, this.#cursor)
    if (records.length > 0) return (await this.#publish(records)) || !this.#isStopping
    await this.#waitOrAnnounce()
    return !this.#isStopping || comparePositions(this.#cursor, journal.head(this.#stream)) < 0
  }

  /**
   * Lets what follows closely on the last message grow, as far as it fits into one. What is written to the device is told
   * that much later, while it fits into one: its answer has the processor first.
   */
  async #gather(): Promise<void> {
    const { clock } = this.#deps
    const sinceMs = this.#stream === "tx" ? 0 : msSince(clock, this.#publishedMs)
    if (sinceMs >= messageGatherMs || this.#lagBytes() >= maxChunkBytes) return
    await delay(clock, messageGatherMs - sinceMs, this.#waiting.signal)
  }

  /** The cursor, or the oldest record when retention overtook it: readers see the hole and page or get their gap. */
  #keptCursor(): Position {
    const oldest = this.#deps.journal.oldest(this.#stream)
    if (comparePositions(this.#cursor, oldest) < 0) this.#cursor = oldest
    return this.#cursor
  }

  #lagBytes(): number {
    return this.#deps.journal.head(this.#stream).offset - this.#cursor.offset
  }

  #skipLag(): void {
    if (this.#lagBytes() > maxLagBytes) this.#cursor = this.#deps.journal.head(this.#stream)
  }

  /**
   * What is written faster than a message at a time (some 10 MB/s) is told by its place alone: few want to read it, and those
   * page it. To publish it cost a quarter of the speed at which it was written.
   */
  async #tellPlace(): Promise<boolean> {
    this.#cursor = this.#deps.journal.head(this.#stream)
    return (await this.#publish([this.#headRecord()])) || !this.#isStopping
  }

  /** The head as an empty chunk. */
  #headRecord(): StreamRecord {
    const { offset, mark: marks } = this.#cursor
    return { offset, marks, timeUs: this.#deps.clock.nowUs(), bytes: nothing }
  }

  /** Publishes in order and follows the connection's back-pressure; false when it failed, after a pause. */
  async #publish(records: readonly StreamRecord[]): Promise<boolean> {
    const { clock } = this.#deps
    this.#waitsMs = this.#tellAfterMs
    const isAnswer = this.#isAnswer(records)
    try {
      for (const record of records) {
        await this.#publishOne(record)
        // An announced head is nothing new: it must not take back the marks at it.
        if (comparePositions(endOf(record), this.#cursor) > 0) this.#cursor = endOf(record)
      }
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      // The connection is full of other devices' bytes, or is about to be found broken: the record's turn comes again.
      await delay(clock, retryMs, this.#waiting.signal)
      return false
    }
    if (!isAnswer) this.#publishedMs = clock.monotonicMs()
    return true
  }

  /** Whether these are few bytes after something was written to the device. */
  #isAnswer(records: readonly StreamRecord[]): boolean {
    const before = this.#writtenBefore
    this.#writtenBefore = this.#deps.journal.place("tx").offset
    if (this.#stream !== "rx" || this.#writtenBefore === before) return false
    const sizes = records.map((record) => (isMarkRecord(record) ? 0 : record.bytes.byteLength))
    return sizes.reduce((sum, size) => sum + size, 0) <= answerBytes
  }

  /** One after the other: bytes that services did not get, and get again, must not be in `rx` twice. */
  async #publishOne(record: StreamRecord): Promise<void> {
    const { broker, journal } = this.#deps
    await broker.publish(
      this.#toServices,
      new StreamParcel({ epoch: journal.epoch, stream: this.#stream, record }),
    )
    if (this.#toAnyone === null || isMarkRecord(record) || record.bytes.byteLength === 0) return
    await broker.publish(this.#toAnyone, record.bytes)
  }

  /**
   * Tells the head after a silence: so a reader that lost the last chunk notices, and one that waits for a silence knows of
   * it. Of a stream that has more, which is not shown yet, nobody may think that it was silent.
   */
  async #waitOrAnnounce(): Promise<void> {
    if (this.#waiting.signal.aborted) return
    const waits = this.#waitsMs
    if ((await this.#waiter.wait(waits[0] ?? announceEveryMs)) !== "timeout") return
    if (comparePositions(this.#cursor, this.#deps.journal.place(this.#stream)) < 0) return
    if (await this.#publish([this.#headRecord()])) this.#waitsMs = waits.slice(1)
  }
}

/** When the head is told where somebody waits for a silence, one wait after the other. */
function tellTimes(idleMs: number | null): readonly number[] {
  if (idleMs === null) return [firstAnnounceMs]
  // A timer may be early by a part of a millisecond.
  const ownMs = idleMs + 1
  return ownMs < firstAnnounceMs
    ? [ownMs, firstAnnounceMs - ownMs]
    : [firstAnnounceMs, Math.max(1, ownMs - firstAnnounceMs)]
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  await createWakeup().wait({ signal })
}
