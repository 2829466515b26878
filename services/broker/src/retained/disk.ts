import * as fs from "node:fs"
import { mkdir, readdir, readFile, rename, stat, unlink } from "node:fs/promises"
import { promisify } from "node:util"

/** The disk as the retained messages use it. Everything rejects with Node's system errors. */
export interface Disk {
  /** With those above it; nothing when it is there. */
  readonly makeFolder: (folder: string) => Promise<void>
  readonly list: (folder: string) => Promise<readonly string[]>
  /** Size of a file, in bytes. */
  readonly measure: (path: string) => Promise<number>
  readonly readAll: (path: string) => Promise<Uint8Array>
  readonly rename: (from: string, to: string) => Promise<void>
  readonly remove: (path: string) => Promise<void>
  /** To be written behind what it has; made when it is not there. */
  readonly open: (path: string) => Promise<number>
  /** Writes all of `bytes` behind what the file has. */
  readonly append: (file: number, bytes: Uint8Array) => Promise<void>
  /** Puts what was written onto the medium. */
  readonly sync: (file: number) => Promise<void>
  readonly close: (file: number) => Promise<void>
}

const open = promisify(fs.open)
const write = promisify(fs.write)

export function createDisk(): Disk {
  return {
    async makeFolder(folder) {
      await mkdir(folder, { recursive: true, mode: 0o750 })
    },
    list: (folder) => readdir(folder),
    measure: async (path) => (await stat(path)).size,
    readAll: (path) => readFile(path),
    rename,
    remove: unlink,
    open: (path) => open(path, "a", 0o640),
    append: appendAll,
    // Of a file that is new, its name too: fdatasync may leave that out.
    sync: promisify(fs.fsync),
    close: promisify(fs.close),
  }
}

/** The kernel may take a part only, of which a full disk is one reason: asking again tells which. */
async function appendAll(file: number, bytes: Uint8Array): Promise<void> {
  let done = 0
  while (done < bytes.byteLength) {
    const { bytesWritten } = await write(file, bytes, done, bytes.byteLength - done)
    done += bytesWritten
  }
}
