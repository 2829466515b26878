import { maxChunkBytes, type StreamRecord } from "@serialcast/contract"
import { comparePositions, type Position, type RecordRing } from "@serialcast/records"
import { eventsOf } from "./record-events.ts"
import type { StreamEvent } from "./stream-event.ts"

/** What came in of one epoch, for all readers: those that stand at the same place get the same events. */
export class LiveView {
  readonly epoch: string
  readonly ring: RecordRing
  /** Up to then nothing more was read, as the agent tells; null: something came in since. */
  #quietUs: number | null = null
  /** The newest reading, for as long as nothing more comes in. Most readers have all, and read on together. */
  #read: { readonly from: Position; readonly events: readonly StreamEvent[] } | null = null

  constructor(epoch: string, ring: RecordRing) {
    this.epoch = epoch
    this.ring = ring
  }

  /** `record` must start at the ring's head. */
  append(record: StreamRecord): void {
    this.ring.append(record)
    this.#read = null
    this.#quietUs = null
  }

  /** The agent told the head again: nothing more was read up to `timeUs`. */
  setQuiet(timeUs: number): void {
    this.#quietUs = timeUs
  }

  /** Of a reader at `from`: up to then there is no more than it has; null when that is not known. */
  quietUs(from: Position): number | null {
    return comparePositions(from, this.ring.head) === 0 ? this.#quietUs : null
  }

  /** What a reader at `from` gets next; nothing when it has all that came in. */
  read(from: Position): readonly StreamEvent[] {
    if (this.#read === null || comparePositions(this.#read.from, from) !== 0) {
      const events = this.ring.read(from, maxChunkBytes).flatMap((record) => eventsOf(this.epoch, record))
      this.#read = { from, events }
    }
    return this.#read.events
  }
}
