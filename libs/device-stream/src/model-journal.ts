import {
  type Cursor,
  formatCursor,
  type Gap,
  type HistoryPage,
  type Mark,
  parseStartPoint,
  type StartPoint,
  type StreamRecord,
} from "@serialcast/contract"
import { comparePositions, endOf, type Position } from "./position.ts"

/** A journal as simple as can be: one record for each byte and mark, in an array. For tests. */
export class ModelJournal {
  epoch: string
  /** Everything ever appended in this epoch. */
  #records: StreamRecord[] = []
  #kept = 0
  #head: Position = { offset: 0, mark: 0 }

  constructor(epoch: string) {
    this.epoch = epoch
  }

  get head(): Position {
    return this.#head
  }

  /** Where the oldest record that is kept starts. */
  get start(): Position {
    const dropped = this.#records[this.#kept - 1]
    return dropped === undefined ? { offset: 0, mark: 0 } : endOf(dropped)
  }

  /** Answers the record as it is published. */
  append(timeUs: number, bytes: Uint8Array): StreamRecord {
    const { offset, mark } = this.#head
    for (const [at, byte] of bytes.entries())
      this.#push({ offset: offset + at, timeUs, bytes: Uint8Array.of(byte) })
    return { offset, timeUs, bytes, ...(mark === 0 ? {} : { marks: mark }) }
  }

  mark(timeUs: number): StreamRecord {
    const mark: Mark = { n: this.#head.mark, kind: "closed", reason: `at ${timeUs}` }
    return this.#push({ offset: this.#head.offset, timeUs, mark })
  }

  /** The record that tells the head after a silence. */
  announce(timeUs: number): StreamRecord {
    const { offset, mark } = this.#head
    return { offset, timeUs, bytes: new Uint8Array(0), ...(mark === 0 ? {} : { marks: mark }) }
  }

  evict(records: number): void {
    this.#kept = Math.min(this.#kept + records, this.#records.length)
  }

  restart(epoch: string): void {
    this.epoch = epoch
    this.#records = []
    this.#kept = 0
    this.#head = { offset: 0, mark: 0 }
  }

  page(from: string, maxRecords: number): HistoryPage {
    const start = parseStartPoint(from)
    const asked = this.#resolve(start)
    const gap = this.#gapBefore(asked)
    const first = gap === null ? asked : { epoch: this.epoch, ...this.start }
    const records = start.kind === "now" ? [] : this.#after(first).slice(0, maxRecords)
    const last = records.at(-1)
    return {
      gap,
      first: formatCursor(first),
      records,
      next: this.#cursorAt(last === undefined ? first : endOf(last)),
      head: this.#cursorAt(this.#head),
    }
  }

  #push(record: StreamRecord): StreamRecord {
    this.#records.push(record)
    this.#head = endOf(record)
    return record
  }

  #after(position: Position): StreamRecord[] {
    return this.#records.slice(this.#kept).filter((record) => comparePositions(endOf(record), position) > 0)
  }

  #resolve(start: StartPoint): Cursor {
    if (start.kind === "cursor") return start.cursor
    if (start.kind === "now") return { epoch: this.epoch, ...this.#head }
    if (start.kind === "start") return { epoch: this.epoch, ...this.start }
    if (start.kind === "time") {
      const found = this.#records.slice(this.#kept).find(({ timeUs }) => timeUs >= start.timeUs)
      const mark = found !== undefined && "mark" in found ? found.mark.n : 0
      return { epoch: this.epoch, ...(found === undefined ? this.#head : { offset: found.offset, mark }) }
    }
    const wanted = { offset: Math.max(0, this.#head.offset - start.bytes), mark: 0 }
    return { epoch: this.epoch, ...(comparePositions(wanted, this.start) < 0 ? this.start : wanted) }
  }

  #gapBefore(asked: Cursor): Gap | null {
    const [from, to] = [formatCursor(asked), this.#cursorAt(this.start)]
    if (asked.epoch !== this.epoch) return { from, to, bytes: null, reason: "evicted" }
    if (comparePositions(asked, this.start) >= 0) return null
    return { from, to, bytes: this.start.offset - asked.offset, reason: "evicted" }
  }

  #cursorAt({ offset, mark }: Position): string {
    return formatCursor({ epoch: this.epoch, offset, mark })
  }
}
