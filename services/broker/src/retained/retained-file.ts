import type { Disk } from "./disk.ts"
import { fileHead } from "./record.ts"

/** A file that is written on. */
export class RetainedFile {
  readonly path: string
  readonly #disk: Disk
  readonly #descriptor: number
  #sizeBytes: number
  /** What was asked of the disk last. */
  #last: Promise<void> = Promise.resolve()

  constructor(
    { path, descriptor, sizeBytes }: { path: string; descriptor: number; sizeBytes: number },
    disk: Disk,
  ) {
    this.path = path
    this.#disk = disk
    this.#descriptor = descriptor
    this.#sizeBytes = sizeBytes
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  async append(bytes: Uint8Array): Promise<void> {
    await this.#ask(this.#disk.append(this.#descriptor, bytes))
    this.#sizeBytes += bytes.byteLength
  }

  sync(): Promise<void> {
    return this.#ask(this.#disk.sync(this.#descriptor))
  }

  /** Closes it when all is done that was asked of it, however long that takes. */
  async close(): Promise<void> {
    await this.#last
    await this.#disk.close(this.#descriptor)
  }

  async remove(): Promise<void> {
    await this.close()
    await this.#disk.remove(this.path)
  }

  #ask(work: Promise<void>): Promise<void> {
    // Its failure is told to whoever asked.
    this.#last = Promise.allSettled([this.#last, work]).then(() => {})
    return work
  }
}

/** Opens a file to be written on. */
export async function openRetainedFile(
  { path, sizeBytes }: { readonly path: string; readonly sizeBytes: number },
  disk: Disk,
): Promise<RetainedFile> {
  return new RetainedFile({ path, sizeBytes, descriptor: await disk.open(path) }, disk)
}

/** Begins a new file. What a full disk had no room for leaves none. */
export async function createRetainedFile(path: string, disk: Disk): Promise<RetainedFile> {
  const file = await openRetainedFile({ path, sizeBytes: 0 }, disk)
  try {
    await file.append(fileHead)
    return file
  } catch (error) {
    await file.remove()
    throw error
  }
}
