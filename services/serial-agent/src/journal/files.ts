import * as fs from "node:fs"
import { mkdir, readdir, rename, rmdir, unlink } from "node:fs/promises"
import { promisify } from "node:util"

export interface FileStatus {
  readonly sizeBytes: number
  /** Microseconds since 1970. */
  readonly modifiedUs: number
  /** Tells a file from its copy. */
  readonly inode: string
}

/** The disk as the journal uses it, by file descriptors. Everything rejects with Node's system errors. */
export interface Files {
  /** `w+`: emptied or created, for reading and writing. */
  open(path: string, flags: "r" | "r+" | "w+"): Promise<number>
  close(file: number): Promise<void>
  /** Fills `into` from `position` on, as far as the file goes; answers how many bytes it got. */
  read(file: number, into: Uint8Array, position: number): Promise<number>
  /** Writes all of `bytes` at `position`. */
  write(file: number, bytes: Uint8Array, position: number): Promise<void>
  truncate(file: number, sizeBytes: number): Promise<void>
  /** Puts a file's bytes and size onto the medium. */
  sync(file: number): Promise<void>
  /** Puts the names in a folder onto the medium. */
  syncFolder(folder: string): Promise<void>
  status(file: number): Promise<FileStatus>
  list(folder: string): Promise<string[]>
  /** With those above it; nothing when it is there. */
  makeFolder(folder: string): Promise<void>
  removeFolder(folder: string): Promise<void>
  remove(path: string): Promise<void>
  rename(from: string, to: string): Promise<void>
}

const openFile = promisify(fs.open)
const close = promisify(fs.close)
const read = promisify(fs.read)
const write = promisify(fs.write)
const truncate = promisify(fs.ftruncate)
const fdatasync = promisify(fs.fdatasync)
const fsync = promisify(fs.fsync)
const fstat = promisify(fs.fstat)

/**
 * The system's files. All journals of a process share one: a sync may hold a thread of Node's pool for seconds, and the
 * ports are read by that pool too, so syncs go one at a time.
 */
export function createFiles(): Files {
  const inTurn = createTurns()
  return {
    open: (path, flags) => openFile(path, flags, 0o640),
    close,
    read: readAll,
    write: writeAll,
    truncate,
    sync: (file) => inTurn(() => fdatasync(file)),
    syncFolder: (folder) => inTurn(() => syncFolder(folder)),
    status,
    list: (folder) => readdir(folder),
    async makeFolder(folder) {
      await mkdir(folder, { recursive: true, mode: 0o750 })
    },
    removeFolder: rmdir,
    remove: unlink,
    rename,
  }
}

function createTurns(): (work: () => Promise<void>) => Promise<void> {
  let last: Promise<void> = Promise.resolve()
  return (work) => {
    const turn = last.then(work)
    // Whoever asked is told of a failure; it is nothing to those behind.
    last = turn.catch(() => {})
    return turn
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
  const { size, mtimeNs, ino } = await fstat(file, { bigint: true })
  return { sizeBytes: Number(size), modifiedUs: Number(mtimeNs / 1000n), inode: String(ino) }
}
