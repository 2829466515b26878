import { isMarkRecord, type Mark, type StreamRecord } from "@serialcast/contract"
import { comparePositions, endOf, type Position, RecordRing } from "@serialcast/device-stream"
import { type Clock, createDeferred, createWakeup, type Deferred, type Wakeup } from "@serialcast/primitives"
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
  /** `isWhole` may be another; resolves when the disk says so, for the next process to find. */
  readonly onWhole: () => Promise<void>
}

/** One stream of a journal: records are placed, then written, a batch at a time, then shown. */
export class StreamLog {
  readonly news: Wakeup = createWakeup()
  readonly ring: RecordRing
  readonly #deps: StreamLogDeps
  #place: Position
  /** Not given to the disk yet. */
  #waiting: Placed[] = []
  #inFlight: Batch | null = null
  /** Of what is not shown yet. */
  #costBytes = 0
  #isRunning = false
  #settling: { readonly until: Position; readonly deferred: Deferred<void> }[] = []

  constructor(deps: StreamLogDeps, head: Position) {
    this.#deps = deps
    this.#place = head
    this.ring = new RecordRing(ringBytes, head)
  }

  /** Where the next record goes. */
  get place(): Position {
    return this.#place
  }

  /** All that was shown is on disk, and what comes in now will be. */
  get isWhole(): boolean {
    return this.#deps.disk.reaches(this.ring.head) && !this.#isBehind
  }

  append(bytes: Uint8Array): void {
    const timeUs = this.#deps.clock.nowUs()
    for (const chunk of cutIntoChunks(bytes, this.#place.offset)) this.#add({ ...chunk, timeUs })
  }

  mark(mark: NewMark): void {
    const { offset, mark: n } = this.#place
    this.#add({ offset, timeUs: this.#deps.clock.nowUs(), mark: shorten({ n, ...mark }) })
  }

  /** Resolves when all that was appended until now is shown. */
  async settled(): Promise<void> {
    if (comparePositions(this.ring.head, this.#place) === 0) return
    const deferred = createDeferred<void>()
    this.#settling.push({ until: this.#place, deferred })
    await deferred.promise
  }

  /** Does what is due. */
  kick(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    // What is appended in the same turn goes in one batch.
    queueMicrotask(() => void this.#run())
  }

  #add(record: StreamRecord): void {
    const entry = encodeRecord(record)
    this.#place = endOf(record)
    this.#waiting.push({ record, entry })
    this.#count(costOf(record))
    if (this.#costBytes > maxWaitingBytes) this.#overflow()
    this.kick()
  }

  async #run(): Promise<void> {
    const { disk, onWhole } = this.#deps
    while (this.#waiting.length > 0 || disk.isDue(this.ring.head)) {
      if (disk.isDue(this.ring.head)) await disk.restart(this.ring.head)
      if (this.#waiting.length === 0) continue
      const batch = this.#take()
      this.#inFlight = batch
      const isKept = await disk.keep(batch)
      if (!isKept) await onWhole()
      // Else it was shown while the disk took its time.
      if (this.#inFlight === batch) this.#show(batch.records)
      this.#inFlight = null
    }
    this.#isRunning = false
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
    return createBatch(
      this.ring.head,
      taken.map(({ record }) => record),
      taken.map(({ entry }) => entry),
    )
  }

  #show(records: readonly StreamRecord[]): void {
    for (const record of records) this.ring.append(record)
    this.#count(-records.reduce((sum, record) => sum + costOf(record), 0))
    const { head } = this.ring
    const settled = this.#settling.filter(({ until }) => comparePositions(until, head) <= 0)
    this.#settling = this.#settling.filter(({ until }) => comparePositions(until, head) > 0)
    for (const { deferred } of settled) deferred.resolve()
    this.news.wake()
  }

  /** The port must be read, and memory is bounded: what waits is shown, and is a hole on disk. */
  #overflow(): void {
    const waiting = this.#waiting.map(({ record }) => record)
    this.#waiting = []
    this.#show([...(this.#inFlight?.records ?? []), ...waiting])
    this.#inFlight = null
    void this.#deps.onWhole()
  }

  #count(costBytes: number): void {
    const wasBehind = this.#isBehind
    this.#costBytes += costBytes
    if (wasBehind !== this.#isBehind) void this.#deps.onWhole()
  }

  get #isBehind(): boolean {
    return this.#costBytes > behindBytes
  }
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
