import { AppError } from "@serialcast/contract"
import { comparePositions, type Position } from "@serialcast/device-stream"
import { type Clock, createBackoff, type Timer } from "@serialcast/primitives"
import { isDiskFull } from "./disk-error.ts"
import type { SegmentHeader } from "./index-entry.ts"
import type { Segment, SegmentDeps, SegmentPlace } from "./segment.ts"
import { type Batch, SegmentWriter } from "./segment-writer.ts"
import type { Shelf } from "./shelf.ts"
import type { Syncer } from "./syncer.ts"

export interface StreamDiskDeps extends SegmentDeps {
  readonly clock: Clock
  readonly shelf: Shelf
  readonly syncer: Syncer
  /** The size at which a segment is full. */
  readonly segmentBytes: number
  readonly place: Omit<SegmentPlace, "start">
  readonly createHeader: () => SegmentHeader
  /** The newest segment or `problem` is another. */
  readonly onChange: () => void
  /** It is time for `restart`. */
  readonly onDue: () => void
}

/**
 * Keeps one stream on disk. A full disk costs the oldest segments. One that refuses is left alone for a while, and so is
 * what comes in meanwhile: the next segment then starts behind a hole.
 */
export class StreamDisk {
  readonly #deps: StreamDiskDeps
  readonly #backoff = createBackoff({ minMs: 1_000, maxMs: 30_000 })
  #writer: SegmentWriter | null
  #pause: Timer | null = null
  #problem: AppError | null = null
  #isFull = false
  #isClosed = false

  /** `writer` has a segment of an earlier process; null: `restart` begins one. */
  constructor(deps: StreamDiskDeps, writer: SegmentWriter | null) {
    this.#deps = deps
    this.#writer = writer
  }

  /** Why bytes are not kept; null while they are. */
  get problem(): AppError | null {
    return this.#problem
  }

  /** null while none is open. */
  get newest(): Segment | null {
    return this.#writer?.segment ?? null
  }

  /** The newest segment goes on to `head`: no record before it is a hole's, or was shown without being kept. */
  reaches(head: Position): boolean {
    return this.#writer !== null && comparePositions(this.#writer.reached, head) >= 0
  }

  /** `restart` is to be called when nothing is under way. */
  isDue(head: Position): boolean {
    return !this.#isClosed && this.#pause === null && (this.#isFull || !this.reaches(head))
  }

  /** Resolves when the kernel has the batch: false when it is not kept. `onBytes` as in `SegmentWriter.write`. */
  async keep(batch: Batch, onBytes: () => void): Promise<boolean> {
    if (this.#pause !== null) return false
    return await this.#attempt(async () => {
      const writer = await this.#writerFor(batch)
      await writer.write(batch, onBytes)
      this.#deps.syncer.touch(writer)
    })
  }

  /** Ends the segment when it began before `olderThanUs`: age takes whole segments. */
  roll(olderThanUs: number): void {
    const segment = this.#writer?.segment
    if (segment === undefined || segment.firstUs >= olderThanUs) return
    if (comparePositions(segment.extent.end, segment.place.start) === 0) return
    this.#isFull = true
    this.#deps.onDue()
  }

  /** Begins a segment at `head`, where all before is shown. */
  async restart(head: Position): Promise<void> {
    await this.#attempt(async () => {
      await this.#begin(head, this.#deps.clock.nowUs())
    })
  }

  /** Gives up its files; nothing is due any more. */
  close(): void {
    this.#pause?.cancel()
    if (this.#writer !== null) this.#deps.syncer.retire(this.#writer)
    this.#writer = null
    this.#isClosed = true
  }

  async #writerFor({ start, sizeBytes, records }: Batch): Promise<SegmentWriter> {
    const segment = this.#writer?.segment
    const joins = segment !== undefined && comparePositions(segment.extent.end, start) === 0
    const isNext = joins && !this.#isFull && segment.sizeBytes + sizeBytes <= this.#deps.segmentBytes
    if (this.#writer !== null && isNext) return this.#writer
    return await this.#begin(start, records[0]?.timeUs ?? this.#deps.clock.nowUs())
  }

  async #begin(start: Position, timeUs: number): Promise<SegmentWriter> {
    const { shelf, syncer, place, createHeader, onChange } = this.#deps
    await shelf.makeRoom()
    const writer = await SegmentWriter.create(
      this.#deps,
      { ...place, start },
      { header: createHeader(), timeUs },
    )
    if (this.#writer !== null) syncer.retire(this.#writer)
    this.#writer = writer
    this.#isFull = false
    shelf.add(writer.segment)
    syncer.touch(writer)
    onChange()
    return writer
  }

  /** False when the disk refuses `work`, with nothing left to drop for it. */
  async #attempt(work: () => Promise<void>): Promise<boolean> {
    for (;;) {
      try {
        await work()
        this.#recover()
        return true
      } catch (error) {
        if (isDiskFull(error) && (await this.#deps.shelf.dropOldest())) continue
        await this.#fail(error)
        return false
      }
    }
  }

  #recover(): void {
    if (this.#problem === null) return
    this.#problem = null
    this.#backoff.reset()
    this.#deps.onChange()
  }

  async #fail(cause: unknown): Promise<void> {
    const { clock, syncer, onChange, onDue } = this.#deps
    const writer = this.#writer
    this.#writer = null
    if (writer !== null) {
      // A disk that refuses this as well leaves a tail that the next opening cuts off.
      await writer.trim().catch(() => {})
      syncer.retire(writer)
    }
    this.#pause = clock.startTimer(this.#backoff.next(), () => {
      this.#pause = null
      onDue()
    })
    const reason = cause instanceof Error ? cause.message : String(cause)
    this.#problem = new AppError("journal_failed", `New bytes are not kept: ${reason}.`, { cause })
    onChange()
  }
}
