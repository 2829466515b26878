import {
  AppError,
  type Cursor,
  formatCursor,
  type HistoryPage,
  type Mark,
  type MarkRecord,
  parseStartPoint,
  type StartPoint,
  type StreamRecord,
} from "@serialcast/contract"
import { comparePositions, endOf, type Position, startOf } from "@serialcast/records"

/** A mark before it has its number. */
type NewMark = Mark extends infer M ? (M extends Mark ? Omit<M, "n"> : never) : never

/** One byte or mark. */
interface Unit {
  readonly record: StreamRecord
  isKept: boolean
}

interface Epoch {
  readonly name: string
  /** Everything ever appended in it. */
  readonly units: Unit[]
  head: Position
}

/** A journal as simple as can be: one entry for each byte and mark, in an array for each epoch. For tests. */
export class ModelJournal {
  /** The oldest first; the last one is current. */
  readonly #epochs: Epoch[]
  #current: Epoch

  constructor(epoch: string) {
    this.#current = emptyEpoch(epoch)
    this.#epochs = [this.#current]
  }

  get epoch(): string {
    return this.#current.name
  }

  get head(): Position {
    return this.#current.head
  }

  /** Answers the record as it is published. */
  append(timeUs: number, bytes: Uint8Array): StreamRecord {
    const { offset, mark } = this.head
    for (const [at, byte] of bytes.entries())
      this.#push(chunkAt({ offset: offset + at, mark: at === 0 ? mark : 0 }, timeUs, Uint8Array.of(byte)))
    return chunkAt({ offset, mark }, timeUs, bytes)
  }

  mark(timeUs: number, mark: NewMark = { kind: "closed", reason: `at ${timeUs}` }): MarkRecord {
    const numbered: Mark = { n: this.head.mark, ...mark }
    const record = { offset: this.head.offset, timeUs, mark: numbered }
    this.#push(record)
    return record
  }

  /** The record that tells the head after a silence. */
  announce(timeUs: number): StreamRecord {
    return chunkAt(this.head, timeUs, new Uint8Array(0))
  }

  /** Drops the oldest bytes and marks, of all epochs. */
  evict(units: number): void {
    for (const unit of this.#epochs
      .flatMap((epoch) => epoch.units.filter(({ isKept }) => isKept))
      .slice(0, units))
      unit.isKept = false
    while (this.#epochs.length > 1 && !this.#epochs[0]?.units.some(({ isKept }) => isKept))
      this.#epochs.shift()
  }

  /** Drops the newest ones, as a disk that refuses does. */
  lose(units: number): void {
    if (units > 0) for (const unit of this.#current.units.slice(-units)) unit.isKept = false
  }

  /** A new epoch; earlier ones stay readable. */
  restart(name: string): void {
    this.#current = emptyEpoch(name)
    this.#epochs.push(this.#current)
  }

  /** Throws `bad_cursor` for a cursor beyond the head. */
  page(from: string, maxUnits: number): HistoryPage {
    const start = parseStartPoint(from)
    const asked = this.#resolve(start)
    const first = this.#firstFrom(asked)
    const epoch = this.#epochOf(first) ?? this.#current
    const records = start.kind === "now" ? [] : takeKept(epoch, first, maxUnits)
    const last = records.at(-1)
    return {
      gap: isSame(first, asked) ? null : gapBetween(asked, first),
      first: formatCursor(first),
      records,
      next: placeIn(epoch, last === undefined ? first : endOf(last)),
      head: placeIn(this.#current, this.head),
    }
  }

  #epochOf({ epoch }: Cursor): Epoch | undefined {
    return this.#epochs.find(({ name }) => name === epoch)
  }

  #push(record: StreamRecord): void {
    this.#current.units.push({ record, isKept: true })
    this.#current.head = endOf(record)
  }

  #resolve(start: StartPoint): Cursor {
    const head = { epoch: this.epoch, ...this.head }
    switch (start.kind) {
      case "cursor":
        if (start.cursor.epoch === this.epoch && comparePositions(start.cursor, head) > 0)
          throw new AppError("bad_cursor", "There is no such place.")
        return start.cursor
      case "now":
        return head
      case "start":
        return this.#firstKept(this.#epochs)
      case "time":
        return this.#firstKept(this.#epochs, ({ timeUs }) => timeUs >= start.timeUs)
      case "last": {
        const wanted = Math.max(0, head.offset - start.bytes)
        return this.#firstKept(
          [this.#current],
          (record) => comparePositions(endOf(record), { offset: wanted, mark: 0 }) > 0,
        )
      }
    }
  }

  /** Where the first record that is kept starts, from `cursor` on. */
  #firstFrom(cursor: Cursor): Cursor {
    const at = this.#epochs.findIndex(({ name }) => name === cursor.epoch)
    const own = this.#epochs[at]
    if (own === undefined) return this.#firstKept(this.#epochs)
    const rest = own.units.filter(({ record }) => comparePositions(endOf(record), cursor) > 0)
    const kept = rest.find(({ isKept }) => isKept)
    if (kept !== undefined) {
      const start = startOf(kept.record)
      return comparePositions(start, cursor) <= 0 ? cursor : { epoch: own.name, ...start }
    }
    if (own !== this.#current) return this.#firstKept(this.#epochs.slice(at + 1))
    return { epoch: own.name, ...own.head }
  }

  #firstKept(epochs: readonly Epoch[], isWanted: (record: StreamRecord) => boolean = () => true): Cursor {
    for (const { name, units } of epochs) {
      const found = units.find(({ isKept, record }) => isKept && isWanted(record))
      if (found !== undefined) return { epoch: name, ...startOf(found.record) }
    }
    return { epoch: this.epoch, ...this.head }
  }
}

function emptyEpoch(name: string): Epoch {
  return { name, units: [], head: { offset: 0, mark: 0 } }
}

function chunkAt({ offset, mark }: Position, timeUs: number, bytes: Uint8Array): StreamRecord {
  return { offset, timeUs, bytes, ...(mark === 0 ? {} : { marks: mark }) }
}

function takeKept({ units }: Epoch, from: Position, maxUnits: number): StreamRecord[] {
  const at = units.findIndex(({ record }) => comparePositions(endOf(record), from) > 0)
  const rest = at < 0 ? [] : units.slice(at, at + maxUnits)
  const cut = rest.findIndex(({ isKept }) => !isKept)
  return rest.slice(0, cut < 0 ? rest.length : cut).map(({ record }) => record)
}

function gapBetween(from: Cursor, to: Cursor): HistoryPage["gap"] {
  const bytes = from.epoch === to.epoch ? to.offset - from.offset : null
  return { from: formatCursor(from), to: formatCursor(to), bytes, reason: "evicted" }
}

function isSame(a: Cursor, b: Cursor): boolean {
  return a.epoch === b.epoch && comparePositions(a, b) === 0
}

function placeIn({ name }: Epoch, { offset, mark }: Position): string {
  return formatCursor({ epoch: name, offset, mark })
}
