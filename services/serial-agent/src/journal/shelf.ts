import { type StreamName, streamNames } from "@serialcast/contract"
import type { Clock } from "@serialcast/primitives"
import type { Logger } from "@serialcast/service-kit"
import { errorCodeOf } from "./disk-error.ts"
import type { Files } from "./files.ts"
import type { Segment, SegmentDeps } from "./segment.ts"

export interface ShelfOptions {
  readonly maxBytes: number
  readonly maxAgeMs: number | null
  /** The size at which segments are full. */
  readonly segmentBytes: number
}

export interface ShelfDeps extends SegmentDeps {
  readonly clock: Clock
  readonly log: Logger
}

/** All segments of a device, oldest first, and which of them stay. The newest of each stream always does. */
export class Shelf {
  readonly #options: ShelfOptions
  readonly #deps: ShelfDeps
  readonly #segments: Record<StreamName, Segment[]>
  #lastDrop: Promise<unknown> = Promise.resolve()

  constructor(
    options: ShelfOptions,
    deps: ShelfDeps,
    segments: Readonly<Record<StreamName, readonly Segment[]>>,
  ) {
    this.#options = options
    this.#deps = deps
    this.#segments = { rx: [...segments.rx], tx: [...segments.tx] }
  }

  get sizeBytes(): number {
    return this.#all.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  }

  list(stream: StreamName): readonly Segment[] {
    return this.#segments[stream]
  }

  add(segment: Segment): void {
    const segments = this.#segments[segment.place.stream]
    const last = segments.at(-1)
    // It stayed empty, and was begun again in the same files.
    if (last?.path("index") === segment.path("index")) segments.pop()
    segments.push(segment)
  }

  /** Drops what is too old, and what is too much when the segment that is about to begin is counted as full. */
  async makeRoom(): Promise<void> {
    const { maxBytes, maxAgeMs, segmentBytes } = this.#options
    const { clock } = this.#deps
    // One that begins in this stream, and the one of the other stream that goes on to fill.
    const roomBytes = maxBytes - streamNames.length * segmentBytes
    const oldestUs = maxAgeMs === null ? 0 : clock.nowUs() - maxAgeMs * 1000
    const isTooMuch = () => this.sizeBytes > roomBytes || (this.#oldest?.extent.lastUs ?? oldestUs) < oldestUs
    while (isTooMuch() && (await this.dropOldest()));
  }

  /** False when there is nothing to drop, or it cannot be. */
  async dropOldest(): Promise<boolean> {
    // In turn: both streams may need room at the same time.
    const drop = this.#lastDrop.then(() => this.#drop())
    this.#lastDrop = drop
    return await drop
  }

  async #drop(): Promise<boolean> {
    const segment = this.#oldest
    if (segment === undefined) return false
    const { files, readFiles, log } = this.#deps
    segment.isDropped = true
    try {
      await readFiles.drop(segment)
      await removeFile(files, segment.path("index"))
      await removeFile(files, segment.path("bytes"))
    } catch (error) {
      log.warn({ segment: segment.name, reason: String(error) }, "the journal cannot delete what is too old")
      return false
    }
    const segments = this.#segments[segment.place.stream]
    segments.splice(segments.indexOf(segment), 1)
    const { folder } = segment.place
    if (!this.#all.some(({ place }) => place.folder === folder)) await this.#removeFolder(folder)
    return true
  }

  async #removeFolder(folder: string): Promise<void> {
    try {
      await this.#deps.files.removeFolder(folder)
    } catch (error) {
      // An empty folder, or one with files of somebody else in it.
      this.#deps.log.debug({ folder, reason: String(error) }, "a folder of the journal stays")
    }
  }

  get #all(): Segment[] {
    return streamNames.flatMap((stream) => this.#segments[stream])
  }

  /** Of the first of each stream: within a stream, clocks that were set back must not make holes. */
  get #oldest(): Segment | undefined {
    const firsts = streamNames.flatMap((stream) => this.#segments[stream].slice(0, -1).slice(0, 1))
    return firsts.toSorted((a, b) => a.extent.lastUs - b.extent.lastUs)[0]
  }
}

async function removeFile(files: Files, path: string): Promise<void> {
  try {
    await files.remove(path)
  } catch (error) {
    if (errorCodeOf(error) !== "ENOENT") throw error
  }
}
