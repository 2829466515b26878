import { closeSync, fstatSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from "node:fs"

/**
 * A file on a file system that is memory, used synchronously: a write of 100 bytes takes 1 µs there, an asynchronous one
 * 40 µs and a thread of the pool. Everything throws Node's system errors.
 */
export interface StageMemory {
  /** Fills `into` from `position` on, as far as the file goes; answers how many bytes it got. */
  read(into: Uint8Array, position: number): number
  write(bytes: Uint8Array, position: number): void
  close(): void
  /** Closes it, and leaves nothing of it. */
  discard(): void
}

/** Opens the file at `path`; one that is not there is made, and one to be `emptied` has nothing then. */
export function openStageMemory(path: string, how: "keep" | "empty"): StageMemory {
  const file = openSync(path, how === "empty" ? "w+" : "r+", 0o600)
  return {
    read(into, position) {
      let filled = 0
      while (filled < into.byteLength) {
        const got = readSync(file, into, filled, into.byteLength - filled, position + filled)
        if (got === 0) break
        filled += got
      }
      return filled
    },
    write(bytes, position) {
      let done = 0
      while (done < bytes.byteLength)
        done += writeSync(file, bytes, done, bytes.byteLength - done, position + done)
    },
    close() {
      closeSync(file)
    },
    discard() {
      // Gone at once, also for somebody who holds it open.
      if (fstatSync(file).size > 0) ftruncateSync(file, 0)
      closeSync(file)
      unlinkSync(path)
    },
  }
}
