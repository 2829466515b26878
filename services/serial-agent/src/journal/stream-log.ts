import { isMarkRecord, type Mark, type StreamRecord } from "@serialcast/contract"
import { comparePositions, endOf, type Position, RecordRing } from "@serialcast/device-stream"
import {
  type Clock,
  createDeferred,
  createWakeup,
  type Deferred,
  type Timer,
  type Wakeup,
} from "@serialcast/primitives"
import { encodeRecord } from "./index-entry.ts"
import type { NewMark } from "./journal.ts"
import { type Batch, createBatch, cutIntoChunks } from "./segment-writer.ts"
import type { StreamDisk } from "./stream-disk.ts"

/** What may wait for the kernel to take it. A disk that takes longer than that costs what waits its place on disk. */
const maxWaitingBytes = 16 * 1024 * 1024
/** Beyond this the disk is about to lose the race. */
const behindBytes = maxWaitingBytes / 2
/** What readers near the head get without the disk. */
const ringBytes = 1024 * 1024
// While a disk hangs, so much is shown before it is kept: what the ring has room for, so that no reader misses it.
const maxAheadBytes = ringBytes / 2
/** Live readers wait so long for the disk; half way, the note goes. Above what an SD card pauses for now and then. */
const stallMs = 5_000
// What a record costs beside its bytes, roughly: its object, index entry and texts.
const recordCostBytes = 512
// Far more than the contract lets into a mark; a reason of the system's has no bound of its own.
const maxTextLength = 1_000

/** A record on its way to the disk. */
interface Placed {
  readonly record: StreamRecord
  readonly entry: Uint8Array
}

export interface StreamLogDeps {
  readonly clock: Clock
  readonly disk: StreamDisk
  readonly maxBatchBytes: number
  /** How long what comes in while nothing is under way may wait for more, unless somebody waits for it, in milliseconds. */
  readonly gatherMs: number
  /** `isWhole` may be another; resolves when the disk says so, for the next process to find. */
  readonly onWhole: () => Promise<void>
}

/**
 * One stream of a journal: records are placed, then written, a batch at a time, then shown. What a disk that hangs holds
 * up is shown without it, and still kept when it goes on.
 */
export class StreamLog {
  readonly news: Wakeup = createWakeup()
  readonly ring: RecordRing
  readonly #deps: StreamLogDeps
  #place: Position
  /** Where the disk goes on. */
  #next: Position
  /** Not given to the disk yet. */
  #waiting: Placed[] = []
  #inFlight: readonly StreamRecord[] = []
  /** Of what is waiting or in flight. */
  #costBytes = 0
  #unkeptBytes = 0
  #running: Promise<void> | null = null
  #gathering: Timer | null = null
  #disk: "answers" | "slow" | "hangs" = "answers"
  #wasWhole = false
  #settling: { readonly until: Position; readonly deferred: Deferred<void> }[] = []

  constructor(deps: StreamLogDeps, head: Position) {
    this.#deps = deps
    this.#place = head
    this.#next = head
    this.ring = new RecordRing(ringBytes, head)
  }

  /** Where the next record goes. */
  get place(): Position {
    return this.#place
  }

  /** All that was shown is on disk, and what comes in now will be. */
  get isWhole(): boolean {
    return (
      this.#deps.disk.reaches(this.ring.head) && this.#costBytes <= behindBytes && this.#disk === "answers"
    )
  }

  /** So many bytes were shown and will never be on disk. */
  get unkeptBytes(): number {
    return this.#unkeptBytes
  }

  append(bytes: Uint8Array): void {
    const timeUs = this.#deps.clock.nowUs()
    for (const chunk of cutIntoChunks(bytes, this.#place.offset)) this.#add({ ...chunk, timeUs })
  }

  /** Answers its time. */
  mark(mark: NewMark): number {
    const { offset, mark: n } = this.#place
    const timeUs = this.#deps.clock.nowUs()
    this.#add({ offset, timeUs, mark: shorten({ n, ...mark }) })
    return timeUs
  }

  /** Resolves when all that was appended until now is shown. */
  async settled(): Promise<void> {
    if (comparePositions(this.ring.head, this.#place) === 0) return
    const deferred = createDeferred<void>()
    this.#settling.push({ until: this.#place, deferred })
    this.kick()
    await deferred.promise
  }

  /** Does what is due; resolves when nothing is, and the disk is left alone. */
  async catchUp(): Promise<void> {
    this.kick()
    while (this.#running !== null) await this.#running
  }

  /** Does what is due. */
  kick(): void {
    this.#gathering?.cancel()
    this.#gathering = null
    // What is appended in the same turn goes in one batch.
    this.#running ??= Promise.resolve().then(() => this.#run())
  }

  #add(record: StreamRecord): void {
    const entry = encodeRecord(record)
    this.#place = endOf(record)
    this.#waiting.push({ record, entry })
    this.#costBytes += costOf(record)
    if (this.#costBytes > maxWaitingBytes) this.#overflow()
    else if (this.#disk === "hangs") this.#showAhead()
    this.#tellWhole()
    const { clock, gatherMs } = this.#deps
    if (gatherMs === 0 || this.#running !== null) this.kick()
    else this.#gathering ??= clock.startTimer(gatherMs, () => this.kick())
  }

  async #run(): Promise<void> {
    const { disk } = this.#deps
    while (this.#waiting.length > 0 || disk.isDue(this.#next)) {
      using _watch = this.#watchDisk()
      if (disk.isDue(this.#next)) await disk.restart(this.#next)
      else await this.#keepSome()
    }
    this.#running = null
    this.#tellWhole()
  }

  async #keepSome(): Promise<void> {
    const batch = this.#take()
    this.#inFlight = batch.records
    const leave = () => {
      // Else there was no room for it while the disk took its time.
      if (this.#inFlight === batch.records) this.#leave(batch.records)
      this.#inFlight = []
    }
    const isKept = await this.#deps.disk.keep(batch, leave)
    if (!isKept) {
      this.#unkeptBytes += lengthOf(batch.records)
      await this.#deps.onWhole()
    }
    leave()
  }

  #take(): Batch {
    let count = 0
    let sizeBytes = 0
    for (const { record, entry } of this.#waiting) {
      const bytes = entry.byteLength + (isMarkRecord(record) ? 0 : record.bytes.byteLength)
      if (count > 0 && sizeBytes + bytes > this.#deps.maxBatchBytes) break
      sizeBytes += bytes
      count++
    }
    const taken = this.#waiting.splice(0, count)
    const batch = createBatch(
      this.#next,
      taken.map(({ record }) => record),
      taken.map(({ entry }) => entry),
    )
    this.#next = batch.end
    return batch
  }

  /** The disk is done with these, whatever it did. */
  #leave(records: readonly StreamRecord[]): void {
    this.#costBytes -= records.reduce((sum, record) => sum + costOf(record), 0)
    this.#show(records)
    this.#tellWhole()
  }

  #show(records: readonly StreamRecord[]): void {
    for (const record of records)
      if (comparePositions(endOf(record), this.ring.head) > 0) this.ring.append(record)
    const { head } = this.ring
    const settled = this.#settling.filter(({ until }) => comparePositions(until, head) <= 0)
    this.#settling = this.#settling.filter(({ until }) => comparePositions(until, head) > 0)
    for (const { deferred } of settled) deferred.resolve()
    this.news.wake()
  }

  /** Beyond what the ring has room for, records that are on no disk would be in no memory either. */
  #showAhead(): void {
    if (this.#costBytes <= maxAheadBytes)
      this.#show([...this.#inFlight, ...this.#waiting.map(({ record }) => record)])
  }

  /** The port must be read, and memory is bounded: what waits is shown, and is a hole on disk. */
  #overflow(): void {
    const waiting = this.#waiting.map(({ record }) => record)
    this.#unkeptBytes += lengthOf(waiting)
    this.#waiting = []
    this.#next = this.#place
    this.#leave([...this.#inFlight, ...waiting])
    this.#inFlight = []
  }

  /** Says how the disk does until it is disposed: when it answered. */
  #watchDisk(): Disposable {
    const { clock } = this.#deps
    let timer: Timer = clock.startTimer(stallMs / 2, () => {
      this.#disk = "slow"
      this.#tellWhole()
      timer = clock.startTimer(stallMs / 2, () => {
        this.#disk = "hangs"
        this.#showAhead()
      })
    })
    return {
      [Symbol.dispose]: () => {
        timer.cancel()
        this.#disk = "answers"
      },
    }
  }

  #tellWhole(): void {
    if (this.isWhole === this.#wasWhole) return
    this.#wasWhole = this.isWhole
    void this.#deps.onWhole()
  }
}

function lengthOf(records: readonly StreamRecord[]): number {
  return records.reduce((sum, record) => sum + (isMarkRecord(record) ? 0 : record.bytes.byteLength), 0)
}

function costOf(record: StreamRecord): number {
  return recordCostBytes + (isMarkRecord(record) ? 0 : record.bytes.byteLength)
}

/** What does not fit into an index entry could not travel in a message either. */
function shorten(mark: Mark): Mark {
  const cut = Object.entries(mark).map(([key, value]: [string, unknown]) => [
    key,
    typeof value === "string" ? value.slice(0, maxTextLength) : value,
  ])
  // The same mark: only texts are shorter.
  return Object.fromEntries(cut) as Mark
}
