import * as fs from "node:fs"
import { mkdir, readdir, rename, rmdir, stat, unlink } from "node:fs/promises"
import { promisify } from "node:util"
import { Gate } from "@serialcast/primitives"

export interface FileStatus {
  readonly sizeBytes: number
  /** Tells a file from its copy, on a file system that keeps the numbers of its files. */
  readonly inode: string
  /** When the file was made, in nanoseconds since 1970, which nobody can set; null where it is not known. */
  readonly born: string | null
}

/** The disk as the journal uses it, by file descriptors. Everything rejects with Node's system errors. */
export interface Files {
  /** `w+`: emptied or created, for reading and writing. */
  readonly open: (path: string, flags: "r" | "r+" | "w+") => Promise<number>
  readonly close: (file: number) => Promise<void>
  /** Fills `into` from `position` on, as far as the file goes; answers how many bytes it got. */
  readonly read: (file: number, into: Uint8Array, position: number) => Promise<number>
  /** Writes all of `bytes` at `position`. */
  readonly write: (file: number, bytes: Uint8Array, position: number) => Promise<void>
  readonly truncate: (file: number, sizeBytes: number) => Promise<void>
  /** Puts a file's bytes and size onto the medium. */
  readonly sync: (file: number) => Promise<void>
  /** Puts the names in a folder onto the medium. */
  readonly syncFolder: (folder: string) => Promise<void>
  readonly status: (file: number) => Promise<FileStatus>
  /** Size of the file at `path`, in bytes. */
  readonly measure: (path: string) => Promise<number>
  readonly list: (folder: string) => Promise<string[]>
  /** With those above it; nothing when it is there. */
  readonly makeFolder: (folder: string) => Promise<void>
  readonly removeFolder: (folder: string) => Promise<void>
  readonly remove: (path: string) => Promise<void>
  readonly rename: (from: string, to: string) => Promise<void>
}

const openFile = promisify(fs.open)
const close = promisify(fs.close)
const read = promisify(fs.read)
const write = promisify(fs.write)
const truncate = promisify(fs.ftruncate)
const fdatasync = promisify(fs.fdatasync)
const fsync = promisify(fs.fsync)
const fstat = promisify(fs.fstat)

// The ports are opened by the threads of Node's pool too, which has four unless UV_THREADPOOL_SIZE says otherwise.
const maxSyncs = 2

/**
 * The system's files. All journals of a process share one: a sync may hold a thread of Node's pool for seconds, so only a
 * few go at a time.
 */
export function createFiles(): Files {
  const gate = new Gate({ maxRunning: maxSyncs })
  const inTurn = (work: () => Promise<void>) => gate.run(work)
  return {
    open: (path, flags) => openFile(path, flags, 0o640),
    close,
    read: readAll,
    write: writeAll,
    truncate,
    sync: (file) => inTurn(() => fdatasync(file)),
    syncFolder: (folder) => inTurn(() => syncFolder(folder)),
    status,
    measure: async (path) => (await stat(path)).size,
    list: (folder) => readdir(folder),
    async makeFolder(folder) {
      await mkdir(folder, { recursive: true, mode: 0o750 })
    },
    removeFolder: rmdir,
    remove: unlink,
    rename,
  }
}

async function readAll(file: number, into: Uint8Array, position: number): Promise<number> {
  let filled = 0
  while (filled < into.byteLength) {
    const { bytesRead } = await read(file, into, filled, into.byteLength - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}

/** The kernel may take a part only, of which a full disk is one reason: asking again tells which. */
async function writeAll(file: number, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0
  while (done < bytes.byteLength) {
    const { bytesWritten } = await write(file, bytes, done, bytes.byteLength - done, position + done)
    done += bytesWritten
  }
}

/** Not by fdatasync, which on some file systems leaves out names that are new. */
async function syncFolder(folder: string): Promise<void> {
  const file = await openFile(folder, "r")
  try {
    await fsync(file)
  } finally {
    await close(file)
  }
}

async function status(file: number): Promise<FileStatus> {
  const { size, ino, birthtimeNs } = await fstat(file, { bigint: true })
  return { sizeBytes: Number(size), inode: String(ino), born: birthtimeNs > 0n ? String(birthtimeNs) : null }
}
