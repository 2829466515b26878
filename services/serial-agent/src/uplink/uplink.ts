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
  encodeStreamMessage,
  firstAnnounceMs,
  isMarkRecord,
  maxChunkBytes,
  type StreamName,
  type StreamRecord,
} from "@serialcast/contract"
import { comparePositions, endOf, type Position } from "@serialcast/device-stream"
import { type Clock, createWakeup, delay, within } from "@serialcast/primitives"
import type { Journal } from "../journal/journal.ts"

// After an outage, more than this is left to the readers to page: the newest bytes come first then.
const maxLagBytes = 1024 * 1024
// The first bytes after a silence go out at once; what follows within this time goes together. A message costs the path
// to a reader some 100 µs however few bytes are in it, and a device that floods brings one read of 4 KB after the other.
const gatherMs = 2
// A short answer to what was just written goes alone: whoever waits for it asks the next question then.
const answerBytes = 256
// What was written can wait for what it is answered with: nobody acts on it, and it would be in the answer's way.
const writtenGatherMs = 5
const retryMs = 20
// At a stop: long enough for a broker that works, short enough to leave the rest of the 5 s to the others.
const flushMs = 1_000

const nothing = new Uint8Array(0)

export interface UplinkDeps {
  readonly broker: Pick<BrokerClient, "isConnected" | "onConnected" | "publish" | "topics">
  readonly address: DeviceAddress
  readonly journal: Journal
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
  /** The head is told after so long without anything to publish. */
  #silenceMs = firstAnnounceMs
  /** Aborted by what ends a wait early: a connect, and the stop. */
  #waiting = new AbortController()
  #isStopping = false

  constructor(deps: UplinkDeps, stream: StreamName) {
    const { topics } = deps.broker
    this.#deps = deps
    this.#stream = stream
    this.#toServices = topics.device("stream", deps.address)
    this.#toAnyone = stream === "rx" ? topics.device("rx", deps.address) : null
    this.#cursor = deps.journal.oldest(stream)
  }

  async run(): Promise<void> {
    const forget = this.#deps.broker.onConnected(() => this.#onConnected())
    // One that stands already is no return.
    this.#silenceMs = firstAnnounceMs
    while (await this.#step());
    forget()
  }

  stop(): void {
    this.#isStopping = true
    this.#waiting.abort()
  }

  /** Readers that come back with the connection are told the head at once. */
  #onConnected(): void {
    this.#silenceMs = 0
    if (this.#isStopping) return
    this.#waiting.abort()
    this.#waiting = new AbortController()
  }

  /** False when it is over: at a stop, once everything is published or cannot be. */
  async #step(): Promise<boolean> {
    const { broker, journal } = this.#deps
    if (!broker.isConnected) {
      await untilAborted(this.#waiting.signal)
      this.#skipLag()
      return !this.#isStopping
    }
    if (this.#stream === "tx" && this.#lagBytes() > maxChunkBytes) return await this.#tellPlace()
    const records = journal.read(this.#stream, this.#keptCursor(), maxChunkBytes)
    if (records.length > 0) return (await this.#publish(records)) || !this.#isStopping
    await this.#waitOrAnnounce()
    return !this.#isStopping || comparePositions(this.#cursor, journal.head(this.#stream)) < 0
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
    this.#silenceMs = firstAnnounceMs
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
    const isFull = this.#lagBytes() >= maxChunkBytes
    if (!isFull && !isAnswer) await delay(clock, gatherMs, this.#waiting.signal)
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
      encodeStreamMessage({ epoch: journal.epoch, stream: this.#stream, record }),
    )
    if (this.#toAnyone === null || isMarkRecord(record) || record.bytes.byteLength === 0) return
    await broker.publish(this.#toAnyone, record.bytes)
  }

  /** Tells the head after a silence, so that a reader that lost the last chunk notices. */
  async #waitOrAnnounce(): Promise<void> {
    const { journal, clock } = this.#deps
    const timeout = { clock, ms: this.#silenceMs }
    const how = await journal.news[this.#stream].wait({ signal: this.#waiting.signal, timeout })
    if (how !== "timeout") {
      if (this.#stream === "tx") await delay(clock, writtenGatherMs, this.#waiting.signal)
      return
    }
    if (await this.#publish([this.#headRecord()])) this.#silenceMs = announceEveryMs
  }
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  await createWakeup().wait({ signal })
}
