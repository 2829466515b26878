/*
 *   journal (rx) ─→ framer ─→ queue ─→ line topics ─→ broker
 */
import type { BrokerClient } from "@serialcast/broker-client"
import {
  AppError,
  type DeviceAddress,
  type Framing,
  isMarkRecord,
  maxChunkBytes,
  type StreamRecord,
} from "@serialcast/contract"
import type { Frame, Framer } from "@serialcast/framing"
import type { Journal } from "@serialcast/journal"
import { type Clock, delay, within } from "@serialcast/primitives"
import { comparePositions, endOf, type Position } from "@serialcast/records"
import { FrameQueue } from "./frame-queue.ts"
import { resumeFramer } from "./resume-framer.ts"

// Beyond this, the newest messages are worth more than all of them; who wants all reads the stream.
const maxLagBytes = 1024 * 1024
const retryMs = 20
// As for the uplink: the device's last words, but not the 5 s that the others need too.
const flushMs = 1_000

export interface LinePublisherDeps {
  readonly broker: Pick<BrokerClient, "isConnected" | "publish" | "topics">
  readonly address: DeviceAddress
  readonly journal: Journal
  readonly framing: Framing
  readonly clock: Clock
}

export interface LinePublisher {
  /** Publishes the messages that the journal still has, for at most 1 s. */
  stop(): Promise<void>
}

/**
 * Publishes each message of a device bare: on its `line` topic what is whole, on `line/cut` what is not. Best effort: nothing is kept for a broker that is away,
 * and a lag of more than 1 MiB is dropped. What is published is whole all the same: the framer reads on at the device's
 * pace, whatever the broker does.
 */
export function startLinePublisher(deps: LinePublisherDeps): LinePublisher {
  const { broker, address, clock } = deps
  const queue = new FrameQueue(maxLagBytes)
  const stopping = new AbortController()
  const framed = new LineFeed(deps, queue).run(stopping.signal).finally(() => queue.close())
  const running = Promise.all([framed, publishAll()])
  return {
    async stop() {
      stopping.abort()
      await within(running, { clock, timeoutMs: flushMs })
    },
  }

  async function publishAll(): Promise<void> {
    const whole = broker.topics.device("line", address)
    // A bare message has no room for a mark: its topic is the mark.
    const cut = broker.topics.device("cut", address)
    for (let frame = await queue.take(); frame !== undefined; frame = await queue.take()) {
      while (await isRefused(broker.publish(frame.isCut ? cut : whole, frame.bytes))) {
        if (stopping.signal.aborted) return
        await delay(clock, retryMs, stopping.signal)
      }
    }
  }
}

/** Whether the connection has no room now. A frame for a broker that is away is done with. */
async function isRefused(publication: Promise<void>): Promise<boolean> {
  try {
    await publication
    return false
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return error.code === "overloaded"
  }
}

/** Reads the journal as bytes come in, and puts the frames in them into a queue. */
class LineFeed {
  readonly #deps: LinePublisherDeps
  readonly #queue: FrameQueue
  readonly #start: Position
  #cursor: Position
  /** The last one that was read. */
  #opening: { readonly offset: number; readonly open: number } | null = null

  constructor(deps: LinePublisherDeps, queue: FrameQueue) {
    this.#deps = deps
    this.#queue = queue
    this.#start = deps.journal.head("rx")
    this.#cursor = this.#start
  }

  async run(signal: AbortSignal): Promise<void> {
    const { journal, clock } = this.#deps
    const framer = await resumeFramer(this.#start, { ...this.#deps, anchorAt: () => this.#openedAt })
    const { idleMs } = framer
    for (;;) {
      this.#takeRecords(framer)
      if (signal.aborted) return
      // A timer may be early by a part of a millisecond.
      const isSilent = idleMs !== null && framer.isHolding
      const timeout = isSilent ? { clock, ms: idleMs + 1 } : undefined
      const how = await journal.news.rx.wait({ signal, timeout })
      // What was read and is not shown yet was no silence.
      const hasAll = comparePositions(this.#cursor, journal.place("rx")) === 0
      if (how === "timeout" && hasAll) this.#keep(framer.flush("silence"))
    }
  }

  #takeRecords(framer: Framer): void {
    const { journal } = this.#deps
    for (;;) {
      const oldest = journal.oldest("rx")
      if (comparePositions(this.#cursor, oldest) < 0) {
        this.#keep(framer.flush({ kind: "lost" }))
        this.#cursor = oldest
      }
      const records = journal.read("rx", this.#cursor, maxChunkBytes)
      if (records.length === 0) return
      for (const record of records) this.#take(record, framer)
    }
  }

  /** Unless a newer opening was missed behind a lag. */
  get #openedAt(): number | undefined {
    return this.#opening?.open === this.#deps.journal.opens ? this.#opening.offset : undefined
  }

  #take(record: StreamRecord, framer: Framer): void {
    this.#cursor = endOf(record)
    if (isMarkRecord(record) && record.mark.kind === "opened")
      this.#opening = { offset: record.offset, open: record.mark.open }
    this.#keep(isMarkRecord(record) ? framer.mark(record) : framer.push(record.bytes, record))
  }

  #keep(frames: readonly Frame[]): void {
    if (!this.#deps.broker.isConnected) return
    for (const frame of frames) if (frame.end > this.#start.offset) this.#queue.push(frame)
  }
}
