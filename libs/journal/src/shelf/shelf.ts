import { type StreamName, streamNames } from "@serialcast/contract"
import { errorCodeOf } from "../disk/disk-error.ts"
import type { Files } from "../disk/files.ts"
import type { Log } from "../log.ts"
import type { ReadFiles } from "../page/read-files.ts"
import type { AgeLimit } from "./age-limit.ts"
import type { Segment } from "./segment.ts"

export interface ShelfOptions {
  /** What both files of all segments of a stream may take, in bytes. */
  readonly maxBytes: Readonly<Record<StreamName, number>>
  /** null: age drops nothing. */
  readonly age: AgeLimit | null
}

/** What earlier processes left. */
export interface History {
  /** Of all epochs, oldest first. */
  readonly segments: Readonly<Record<StreamName, readonly Segment[]>>
  /** Paths of files that are no segment's. */
  readonly others: readonly string[]
}

export interface ShelfDeps {
  readonly files: Files
  readonly readFiles: ReadFiles
  readonly log: Log
}

/**
 * All segments of a device, oldest first, and which of them stay. Each stream has a budget of its own: what is written to a
 * device takes no room from what it said. The newest segment of each stream always stays.
 */
export class Shelf {
  readonly #options: ShelfOptions
  readonly #deps: ShelfDeps
  readonly #segments: Record<StreamName, Segment[]> = { rx: [], tx: [] }
  #lastDrop: Promise<unknown> = Promise.resolve()
  #measuring: Promise<void> = Promise.resolve()
  /** What the disk does not let go. */
  readonly #stuck = new Set<Segment>()
  /** In the device's folder beside the segments, in bytes. */
  #otherBytes = 0

  constructor(options: ShelfOptions, deps: ShelfDeps) {
    this.#options = options
    this.#deps = deps
  }

  /** What all files in the device's folder take, as far as they were looked at. */
  get sizeBytes(): number {
    return this.#otherBytes + streamNames.reduce((sum, stream) => sum + this.#sizeOf(stream), 0)
  }

  list(stream: StreamName): readonly Segment[] {
    return this.#segments[stream]
  }

  /** Puts in what earlier processes left, oldest first, before all that began since. */
  adopt({ segments, others }: History): void {
    const found: Segment[] = []
    for (const stream of streamNames) {
      const own = new Set(this.#segments[stream].map((segment) => segment.path("index")))
      const earlier = segments[stream].filter((segment) => !own.has(segment.path("index")))
      this.#segments[stream].unshift(...earlier)
      found.push(...earlier)
    }
    this.#measuring = this.#measuring.then(() => this.#measure(found, others))
  }

  add(segment: Segment): void {
    const segments = this.#segments[segment.place.stream]
    // One that stayed empty is begun again in the same files.
    const same = segments.findIndex((one) => one.path("index") === segment.path("index"))
    if (same >= 0) segments.splice(same, 1)
    segments.push(segment)
  }

  /** Drops what is too old, and of `stream` what is too much when it gets `roomBytes` more. */
  async makeRoom(stream: StreamName, roomBytes: number): Promise<void> {
    await this.#measuring
    this.#stuck.clear()
    const maxBytes = this.#options.maxBytes[stream] - roomBytes
    while (this.#sizeOf(stream) + this.#otherBytes > maxBytes && (await this.#dropOldest(stream)));
    await this.dropOld()
  }

  /** Drops what is too old. */
  async dropOld(): Promise<void> {
    const { age } = this.#options
    if (age === null) return
    for (const stream of streamNames)
      while ((await age.isTooOld(this.#segments[stream])) && (await this.#dropOldest(stream)));
  }

  /** For a disk that is full: false when there is nothing to drop, or it cannot be. */
  async dropForRoom(stream: StreamName): Promise<boolean> {
    const [own, other] = stream === "rx" ? (["rx", "tx"] as const) : (["tx", "rx"] as const)
    // Of the stream that takes more than its share, so that neither starves the other.
    const isOwnLarger = this.#shareOf(own) >= this.#shareOf(other)
    return (
      (await this.#dropOldest(isOwnLarger ? own : other)) ||
      (await this.#dropOldest(isOwnLarger ? other : own))
    )
  }

  #shareOf(stream: StreamName): number {
    return this.#sizeOf(stream) / this.#options.maxBytes[stream]
  }

  #sizeOf(stream: StreamName): number {
    return this.#segments[stream].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  }

  async #measure(segments: readonly Segment[], otherFiles: readonly string[]): Promise<void> {
    const { files, log } = this.#deps
    // Many at a time would take the threads that the ports are opened by.
    for (const segment of segments) {
      await segment.measure().catch((error: unknown) => {
        log.warn({ segment: segment.name, reason: String(error) }, "the size of a segment cannot be told")
      })
    }
    for (const path of otherFiles) this.#otherBytes += await files.measure(path).catch(() => 0)
  }

  /** False when there is nothing to drop, or it cannot be. */
  async #dropOldest(stream: StreamName): Promise<boolean> {
    // In turn: both streams may need room at the same time.
    const drop = this.#lastDrop.then(() => this.#drop(stream))
    this.#lastDrop = drop
    return await drop
  }

  async #drop(stream: StreamName): Promise<boolean> {
    const segments = this.#segments[stream]
    const segment = segments.slice(0, -1).find((one) => !this.#stuck.has(one))
    if (segment === undefined) return false
    const { files, readFiles, log } = this.#deps
    segment.isDropped = true
    try {
      // A disk that refuses to close them has let them go all the same (close(2)).
      await readFiles.drop(segment).catch((error: unknown) => {
        log.warn(
          { segment: segment.name, reason: String(error) },
          "a file of the journal was not closed in order",
        )
      })
      // In this order: without its index, the other one is known to be half of nothing.
      await removeFile(files, segment.path("index"))
      await removeFile(files, segment.path("bytes"))
    } catch (error) {
      log.warn({ segment: segment.name, reason: String(error) }, "the journal cannot delete what is too old")
      // It counts, and stays readable; others go for it.
      segment.isDropped = false
      this.#stuck.add(segment)
      return await this.#drop(stream)
    }
    segments.splice(segments.indexOf(segment), 1)
    const { folder } = segment.place
    const isInUse = streamNames.some((name) =>
      this.#segments[name].some(({ place }) => place.folder === folder),
    )
    if (!isInUse) await this.#removeFolder(folder)
    return true
  }

  async #removeFolder(folder: string): Promise<void> {
    try {
      await this.#deps.files.removeFolder(folder)
    } catch (error) {
      // One with files of somebody else in it.
      this.#deps.log.debug({ folder, reason: String(error) }, "a folder of the journal stays")
    }
  }
}

async function removeFile(files: Files, path: string): Promise<void> {
  try {
    await files.remove(path)
  } catch (error) {
    if (errorCodeOf(error) !== "ENOENT") throw error
  }
}
