import { type Chunk, isMarkRecord, type StreamRecord } from "@serialcast/contract"
import { concatBytes } from "@serialcast/primitives"
import { after, comparePositions, endOf, type Position, startOf } from "./position.ts"
import { costOf } from "./record-cost.ts"

// What is joined has one time. A line that was typed keeps its own, a steady stream at 115,200 baud comes in pieces that
// cost a tenth of their bytes on the wire.
const joinUs = 50_000

/**
 * The newest records of one stream in one epoch, without holes, bounded in bytes: beyond `capacityBytes` the oldest are
 * dropped. Readers hold positions, not places, so that dropping needs to tell nobody.
 */
export class RecordRing {
  readonly #capacityBytes: number
  #records: StreamRecord[] = []
  /** Records before this place are dropped and wait to be cut off. */
  #first = 0
  #costBytes = 0
  #start: Position
  #head: Position

  constructor(capacityBytes: number, start: Position) {
    this.#capacityBytes = capacityBytes
    this.#start = start
    this.#head = start
  }

  /** The earliest position that a reader can start from. */
  get start(): Position {
    return this.#start
  }

  /** Where the next record goes. */
  get head(): Position {
    return this.#head
  }

  /** `record` must start at the head; an empty chunk is nothing. */
  append(record: StreamRecord): void {
    if (!isMarkRecord(record) && record.bytes.byteLength === 0) return
    const marks = this.#head.mark
    this.#records.push(isMarkRecord(record) || marks === 0 ? record : { ...record, marks })
    this.#head = endOf(record)
    this.#costBytes += costOf(record)
    while (this.#costBytes > this.#capacityBytes && this.#first < this.#records.length - 1) this.#dropOldest()
  }

  /**
   * Records from `position` on, at most `maxBytes` bytes of them (and one at least). Adjoining chunks are joined while
   * what they hold was read within `joinUs`. Where the clock was set in between, whatever comes after it starts anew.
   */
  read(position: Position, maxBytes: number): StreamRecord[] {
    const taken: StreamRecord[] = []
    let run: { first: Chunk; parts: Uint8Array[] } | undefined
    let budget = maxBytes
    const endRun = () => {
      if (run !== undefined) taken.push({ ...run.first, bytes: concatBytes(run.parts) })
      run = undefined
    }
    for (let at = this.#find(position); at < this.#records.length && budget > 0; at++) {
      const record = this.#records[at]
      const rest = record === undefined ? undefined : after(position, record)
      if (rest === undefined) continue
      if (isMarkRecord(rest)) {
        endRun()
        taken.push(rest)
        budget -= costOf(rest)
        continue
      }
      if (run !== undefined && Math.abs(rest.timeUs - run.first.timeUs) > joinUs) endRun()
      const bytes = rest.bytes.subarray(0, budget)
      budget -= bytes.byteLength
      run ??= { first: rest, parts: [] }
      run.parts.push(bytes)
    }
    endRun()
    return taken
  }

  /** Where the first byte that was read at `timeUs` or later starts. */
  findTime(timeUs: number): Position {
    for (let at = this.#first; at < this.#records.length; at++) {
      const record = this.#records[at]
      if (record !== undefined && record.timeUs >= timeUs) return startOf(record)
    }
    return this.#head
  }

  /** The first place whose record ends after `position`. */
  #find(position: Position): number {
    let low = this.#first
    let high = this.#records.length
    while (low < high) {
      const middle = (low + high) >> 1
      const record = this.#records[middle]
      if (record !== undefined && comparePositions(endOf(record), position) <= 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #dropOldest(): void {
    const oldest = this.#records[this.#first]
    if (oldest === undefined) return
    this.#costBytes -= costOf(oldest)
    this.#start = endOf(oldest)
    this.#first++
    // Cutting in bulk keeps dropping at constant cost.
    if (this.#first < 1024 || this.#first * 2 < this.#records.length) {
      // The place still holds the record: let go of its bytes now.
      this.#records[this.#first - 1] = { offset: oldest.offset, timeUs: oldest.timeUs, bytes: noBytes }
      return
    }
    this.#records = this.#records.slice(this.#first)
    this.#first = 0
  }
}

const noBytes = new Uint8Array(0)
