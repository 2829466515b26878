import { join } from "node:path"
import { AppError } from "@serialcast/contract"
import { lockFile } from "@serialcast/primitives/lock"
import type { Logger } from "@serialcast/service-kit"
import type { Disk } from "./disk.ts"
import { type KeptRecord, readRecords } from "./record.ts"

const namePattern = /^retained-(\d{1,12})\.log$/
const damagedName = "retained.damaged"

export interface RetainedFolderOptions {
  readonly dir: string
  /** No file of ours is longer, in bytes. */
  readonly maxFileBytes: number
}

export interface LoadedFile {
  readonly path: string
  readonly sizeBytes: number
}

export interface Loaded {
  /** What was read, oldest first. What is damaged is not among it. */
  readonly files: readonly LoadedFile[]
  /** The newest of them may be written on: it is whole. */
  readonly isNewestWhole: boolean
}

/** The folder of `broker.dir`: `retained-1.log`, `retained-2.log`, … of which a later one goes before an earlier one. */
export class RetainedFolder {
  readonly #options: RetainedFolderOptions
  readonly #disk: Disk
  readonly #log: Logger
  #unlock: (() => Promise<void>) | null = null

  constructor(options: RetainedFolderOptions, { disk, log }: { readonly disk: Disk; readonly log: Logger }) {
    this.#options = options
    this.#disk = disk
    this.#log = log
  }

  /** Makes the folder, and this process the only one that uses it. Throws `retained_taken`. */
  async prepare(): Promise<void> {
    if (this.#unlock !== null) return
    await this.#disk.makeFolder(this.#options.dir)
    this.#unlock = await this.#lock()
  }

  /** Hands `onRecord` all that is kept, in the order in which it was written. */
  async load(onRecord: (record: KeptRecord) => void): Promise<Loaded> {
    const files: LoadedFile[] = []
    let isNewestWhole = false
    for (const number of await this.#numbers()) {
      const path = this.#pathOf(number)
      const { end, sizeBytes } = await this.#loadFile(path, onRecord)
      isNewestWhole = end === "whole"
      if (end !== "damaged") files.push({ path, sizeBytes })
    }
    return { files, isNewestWhole }
  }

  /** A name behind all that are there. */
  async nextPath(): Promise<string> {
    return this.#pathOf(((await this.#numbers()).at(-1) ?? 0) + 1)
  }

  async close(): Promise<void> {
    await this.#unlock?.()
    this.#unlock = null
  }

  async #numbers(): Promise<readonly number[]> {
    const names = await this.#disk.list(this.#options.dir)
    const numbers = names.flatMap((name) => namePattern.exec(name)?.[1] ?? []).map(Number)
    return numbers.toSorted((a, b) => a - b)
  }

  #pathOf(number: number): string {
    return join(this.#options.dir, `retained-${number}.log`)
  }

  async #loadFile(
    path: string,
    onRecord: (record: KeptRecord) => void,
  ): Promise<{ readonly end: "whole" | "torn" | "damaged"; readonly sizeBytes: number }> {
    const { maxFileBytes } = this.#options
    const sizeBytes = await this.#disk.measure(path)
    if (sizeBytes > maxFileBytes) return this.#setAside(path, { sizeBytes, messages: 0 })
    const bytes = await this.#disk.readAll(path)
    const { records, end, restBytes } = readRecords(bytes)
    for (const record of records) onRecord(record)
    if (end === "damaged") return this.#setAside(path, { sizeBytes, messages: records.length })
    if (end === "torn") {
      const what = "the end of the retained messages was not written whole: they are those from before it"
      this.#log.warn({ file: path, restBytes }, what)
    }
    return { end, sizeBytes }
  }

  /** One such file is kept, for whoever wants to look into it; nothing here reads it again. */
  async #setAside(
    path: string,
    { sizeBytes, messages }: { readonly sizeBytes: number; readonly messages: number },
  ): Promise<{ readonly end: "damaged"; readonly sizeBytes: number }> {
    const aside = join(this.#options.dir, damagedName)
    await this.#disk.rename(path, aside)
    const what =
      "a file of retained messages is damaged: it was set aside, and what was good of it taken over"
    this.#log.error({ file: path, aside, sizeBytes, messages }, what)
    return { end: "damaged", sizeBytes }
  }

  async #lock(): Promise<() => Promise<void>> {
    const { dir } = this.#options
    const locking = await lockFile(join(dir, "broker.lock"), (error) => {
      this.#log.warn(
        { dir, reason: String(error) },
        "the lock of the retained messages does not name its holder",
      )
    }).catch((error: unknown) => {
      this.#log.error({ dir, reason: String(error) }, "broker.dir is not locked: let no other broker use it")
      return null
    })
    if (locking === null) return async () => {}
    if (locking.kind === "locked") return () => locking.file.close()
    const holder = locking.holder === "" ? "" : `: ${locking.holder}`
    throw new AppError("retained_taken", `${dir} is used by another broker${holder}.`)
  }
}
