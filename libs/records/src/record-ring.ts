/*
 *   append ─→ RecordTable  | offset, time, marks | … a row for each record
 *             ByteStore    | bytes of all chunks, by offset …
 *             MarkList     | the few marks, by row …                        ─→ read, records, findTime
 */
import { type Chunk, isMarkRecord, type ReadTime, type StreamRecord } from "@serialcast/contract"
import { chunkJoinUs, maxJoinedChunks } from "@serialcast/primitives"
import { ByteStore, type Bytes } from "./byte-store.ts"
import { GivenBytes } from "./given-bytes.ts"
import { MarkList } from "./mark-list.ts"
import { MovingPlace } from "./moving-place.ts"
import type { Position } from "./position.ts"
import { costOfMark, recordCostBytes } from "./record-cost.ts"
import { RecordTable } from "./record-table.ts"

/** Where one answered chunk lies. */
interface Run {
  readonly row: number
  /** Behind the rows that are joined to it. */
  readonly next: number
  readonly from: number
  readonly to: number
}

/**
 * The newest records of one stream in one epoch, without holes, bounded in bytes: beyond `capacityBytes` the oldest are
 * dropped, the newest one never. Memory is taken as it fills, a block of 10 KiB for rows or 16 KiB for bytes at a time.
 * Readers hold positions, not places, so that dropping needs to tell nobody; what they are answered never changes.
 */
export class RecordRing {
  readonly #capacityBytes: number
  readonly #table = new RecordTable()
  readonly #bytes: Bytes
  readonly #marks = new MarkList()
  readonly #start: MovingPlace
  readonly #head: MovingPlace
  #held: Position | null = null

  constructor(capacityBytes: number, start: Position, bytes: Bytes = new ByteStore(start.offset)) {
    this.#capacityBytes = capacityBytes
    this.#bytes = bytes
    this.#start = new MovingPlace(start)
    this.#head = new MovingPlace(start)
  }

  /** One without bounds, of records whose bytes are those of `bytes`, in order: none is copied, also for readers. */
  static over(bytes: Uint8Array, start: Position): RecordRing {
    return new RecordRing(Number.POSITIVE_INFINITY, start, new GivenBytes(bytes, start.offset))
  }

  /** The earliest position that a reader can start from. */
  get start(): Position {
    return this.#start.position
  }

  /** Where the next record goes; the same object until it moves. */
  get head(): Position {
    return this.#head.position
  }

  /** Takes a copy of `record`, unless it is over its bytes: it must start at the head; an empty chunk is nothing. */
  append(record: StreamRecord): void {
    const { offset, timeUs } = record
    if (offset !== this.#head.offset)
      throw new Error(`A record at offset ${offset} does not join on at ${this.#head.offset}.`)
    if (isMarkRecord(record)) {
      const { mark } = record
      this.#marks.add(this.#table.end, mark, costOfMark(mark))
      this.#table.addMark(offset, timeUs, mark.n)
      this.#head.moveTo(offset, mark.n + 1)
    } else {
      const { bytes, reads = [] } = record
      if (bytes.byteLength === 0) return
      this.#table.addChunk(offset, timeUs, this.#head.mark)
      for (const read of reads) this.#table.addChunk(read.offset, read.timeUs, 0)
      this.#bytes.append(bytes)
      this.#head.moveTo(offset + bytes.byteLength, 0)
    }
    this.#dropSurplus()
  }

  /**
   * Records that end after `position` are not dropped, however many there are: who holds bounds them. null lets them go.
   */
  hold(position: Position | null): void {
    this.#held = position
    this.#dropSurplus()
  }

  /**
   * Records from `position` on, before `until` (the start of a record) if it is given: at most `maxBytes` bytes of them,
   * and one at least. Adjoining chunks are joined while what they hold was read within `chunkJoinUs`, and keep their times.
   * Where the clock was set in between, what comes after it starts anew.
   */
  read(position: Position, maxBytes: number, until?: Position): StreamRecord[] {
    const end = until === undefined ? this.#table.end : this.#find(until)
    const runs: Run[] = []
    let budget = maxBytes
    for (let row = this.#find(position); row < end && budget > 0; ) {
      if (this.#table.isMark(row)) {
        runs.push({ row, next: row + 1, from: 0, to: 0 })
        budget -= recordCostBytes + costOfMark(this.#marks.at(row))
        row++
        continue
      }
      const from = Math.max(position.offset, this.#table.offsetOf(row))
      const next = this.#endOfRun(row, end, from + budget)
      const to = Math.min(this.#offsetAfter(next - 1), from + budget)
      runs.push({ row, next, from, to })
      budget -= to - from + (next - row - 1) * readBytes
      row = next
    }
    return this.#take(runs)
  }

  /**
   * Records from `position` on as they were appended, but for the part of the first one that is before it: as many as cost
   * `maxBytes` (`costOf`), and one at least.
   */
  records(position: Position, maxBytes: number): StreamRecord[] {
    const runs: Run[] = []
    let budget = maxBytes
    for (let row = this.#find(position); row < this.#table.end; row++) {
      const isMark = this.#table.isMark(row)
      const from = isMark ? 0 : Math.max(position.offset, this.#table.offsetOf(row))
      const to = isMark ? 0 : this.#offsetAfter(row)
      budget -= recordCostBytes + (isMark ? costOfMark(this.#marks.at(row)) : to - from)
      if (runs.length > 0 && budget < 0) break
      runs.push({ row, next: row + 1, from, to })
    }
    return this.#take(runs)
  }

  /** What the records from `position` on cost, in bytes (`costOf`). */
  costFrom(position: Position): number {
    const row = this.#find(position)
    const count = this.#table.end - row
    if (count === 0) return 0
    const bytes = this.#head.offset - Math.max(position.offset, this.#table.offsetOf(row))
    return bytes + count * recordCostBytes + this.#marks.costFrom(row)
  }

  /** Where the first record that was read at `timeUs` or later starts. */
  findTime(timeUs: number): Position {
    const row = this.#table.findTime(timeUs)
    if (row === this.#table.end) return this.head
    return { offset: this.#table.offsetOf(row), mark: this.#table.markOf(row) }
  }

  /**
   * The first row whose record ends after `position`. It is looked for from the newest row on, in steps that double: most
   * readers are near the head, and the rows far from it are in no cache of the processor.
   */
  #find(position: Position): number {
    let low = this.#table.first
    let high = this.#table.end
    for (let step = 1; high - step > low; step *= 2) {
      if (this.#endsBy(high - step, position)) {
        low = high - step + 1
        break
      }
      high -= step
    }
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (this.#endsBy(middle, position)) low = middle + 1
      else high = middle
    }
    return low
  }

  #endsBy(row: number, { offset, mark }: Position): boolean {
    if (!this.#table.isMark(row)) return this.#offsetAfter(row) <= offset
    const own = this.#table.offsetOf(row)
    return own < offset || (own === offset && this.#table.markOf(row) < mark)
  }

  #offsetAfter(row: number): number {
    return row + 1 === this.#table.end ? this.#head.offset : this.#table.offsetOf(row + 1)
  }

  /** The row after those that are joined to a chunk's; `maxOffset` is as far as anybody wants them. */
  #endOfRun(first: number, end: number, maxOffset: number): number {
    const firstUs = this.#table.timeUsOf(first)
    let row = first + 1
    const last = Math.min(end, first + maxJoinedChunks)
    while (row < last && this.#table.offsetOf(row) < maxOffset) {
      if (this.#table.isMark(row) || Math.abs(this.#table.timeUsOf(row) - firstUs) > chunkJoinUs) break
      row++
    }
    return row
  }

  /** Takes the bytes of all runs at once: they are consecutive. */
  #take(runs: readonly Run[]): StreamRecord[] {
    const chunks = runs.filter(({ from, to }) => from < to)
    const [first, last] = [chunks[0], chunks.at(-1)]
    const start = first?.from ?? 0
    const bytes = last === undefined ? noBytes : this.#bytes.copy(start, last.to)
    return runs.map((run): StreamRecord => {
      const { row, from, to } = run
      const timeUs = this.#table.timeUsOf(row)
      if (from === to) return { offset: this.#table.offsetOf(row), timeUs, mark: this.#marks.at(row) }
      const chunk = {
        offset: from,
        timeUs,
        bytes: chunks.length === 1 ? bytes : bytes.subarray(from - start, to - start),
        ...this.#readsOf(run),
      }
      const marks = this.#table.markOf(row)
      return marks === 0 || from > this.#table.offsetOf(row) ? chunk : { ...chunk, marks }
    })
  }

  /** The times of a run that are not that of its first bytes. */
  #readsOf({ row, next, to }: Run): Pick<Chunk, "reads"> {
    const reads: ReadTime[] = []
    let beforeUs = this.#table.timeUsOf(row)
    for (let later = row + 1; later < next; later++) {
      const [offset, timeUs] = [this.#table.offsetOf(later), this.#table.timeUsOf(later)]
      if (offset >= to) break
      if (timeUs !== beforeUs) reads.push({ offset, timeUs })
      beforeUs = timeUs
    }
    return reads.length === 0 ? {} : { reads }
  }

  get #costBytes(): number {
    const count = this.#table.end - this.#table.first
    return this.#head.offset - this.#start.offset + count * recordCostBytes + this.#marks.costBytes
  }

  #dropSurplus(): void {
    while (this.#costBytes > this.#capacityBytes && this.#table.end - this.#table.first > 1) {
      const oldest = this.#table.first
      if (this.#held !== null && !this.#endsBy(oldest, this.#held)) return
      if (this.#table.isMark(oldest)) {
        this.#start.moveTo(this.#table.offsetOf(oldest), this.#table.markOf(oldest) + 1)
        this.#marks.dropFirst()
      } else {
        this.#start.moveTo(this.#offsetAfter(oldest), 0)
        this.#bytes.dropBefore(this.#start.offset)
      }
      this.#table.dropFirst()
    }
  }
}

const noBytes = new Uint8Array(0)
/** What the time of one more read takes of a page at most. */
const readBytes = 6
