import { isMarkRecord, type StreamRecord } from "@serialcast/contract"
import { after, comparePositions, endOf, type Position, startOf } from "./position.ts"
import { costOf } from "./record-cost.ts"

/** What `RecordRing` is to do, as simple as can be: a list of records. For tests. */
export class ListRing {
  readonly #capacityBytes: number
  #kept: StreamRecord[] = []
  start: Position
  head: Position
  #held: Position | null = null

  constructor(capacityBytes: number, start: Position) {
    this.#capacityBytes = capacityBytes
    this.start = start
    this.head = start
  }

  append(record: StreamRecord): void {
    if (!isMarkRecord(record) && record.bytes.byteLength === 0) return
    const marks = this.head.mark
    this.#kept.push(isMarkRecord(record) || marks === 0 ? record : { ...record, marks })
    this.head = endOf(record)
    this.#drop()
  }

  hold(position: Position | null): void {
    this.#held = position
    this.#drop()
  }

  /** Not joined, one byte or mark each, so that joining does not matter. */
  units(from: Position, until: Position): StreamRecord[] {
    return this.#from(from)
      .filter((record) => comparePositions(startOf(record), until) < 0)
      .flatMap(unitsOf)
  }

  records(from: Position, maxBytes: number): StreamRecord[] {
    const taken: StreamRecord[] = []
    let costBytes = 0
    for (const record of this.#from(from)) {
      costBytes += costOf(record)
      if (taken.length > 0 && costBytes > maxBytes) break
      taken.push(record)
    }
    return taken
  }

  costFrom(position: Position): number {
    return this.#from(position).reduce((sum, record) => sum + costOf(record), 0)
  }

  findTime(timeUs: number): Position {
    const found = this.#kept.find((record) => record.timeUs >= timeUs)
    return found === undefined ? this.head : startOf(found)
  }

  #from(position: Position): StreamRecord[] {
    return this.#kept.flatMap((record) => after(position, record) ?? [])
  }

  #drop(): void {
    for (;;) {
      const [oldest] = this.#kept
      if (oldest === undefined || this.#kept.length === 1) return
      if (this.costFrom(this.start) <= this.#capacityBytes) return
      if (this.#held !== null && comparePositions(endOf(oldest), this.#held) > 0) return
      this.start = endOf(oldest)
      this.#kept.shift()
    }
  }
}

/** The bytes and marks of a record, each with its place. */
export function unitsOf(record: StreamRecord): StreamRecord[] {
  if (isMarkRecord(record)) return [record]
  const { offset, marks = 0 } = record
  return [...record.bytes].map((byte, at) => {
    const unit = { offset: offset + at, timeUs: 0, bytes: Uint8Array.of(byte) }
    return at === 0 && marks > 0 ? { ...unit, marks } : unit
  })
}
