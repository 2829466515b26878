import { randomBytes } from "node:crypto"
import { createReadStream } from "node:fs"
import { type FileHandle, mkdir, open, readdir, realpath, rename, rm, stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import { AppError } from "@serialcast/contract"
import { systemReason } from "../write/system-reason.ts"

/** A file or folder of this machine. */
export interface LocalPath {
  readonly path: string
  readonly kind: "file" | "directory"
  /** In bytes; 0 for a folder. */
  readonly size: number
}

/** Throws `bad_request` for what is not there, and what is neither file nor folder. */
export async function findLocal(path: string): Promise<LocalPath> {
  const found = await stat(path).catch(unreadable(path))
  if (found.isDirectory()) return { path, kind: "directory", size: 0 }
  if (found.isFile()) return { path, kind: "file", size: found.size }
  throw new AppError("bad_request", `${path} is neither a file nor a folder.`)
}

/**
 * All that is below a folder, each folder before what is in it, by name. Throws as `findLocal`, and `bad_request` for a link
 * to a folder that it is in, whose way has no end. `above`: the folders that this one is in, by their real names.
 */
export async function* walkLocal(
  folder: string,
  above: readonly string[] = [],
): AsyncGenerator<LocalPath, void, undefined> {
  const real = await realpath(folder).catch(unreadable(folder))
  if (above.includes(real))
    throw new AppError("bad_request", `${folder} is a link to a folder that it is in.`)
  const names = await readdir(folder).catch(unreadable(folder))
  for (const name of names.sort()) {
    const found = await findLocal(join(folder, name))
    yield found
    if (found.kind === "directory") yield* walkLocal(found.path, [...above, real])
  }
}

export function isLocalFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

/** Throws `bad_request` when the file cannot be read any more. */
export async function* readLocal(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* createReadStream(path)
  } catch (error) {
    unreadable(path)(error)
  }
}

/** A folder with those above it; one that is there is kept. Throws `output_failed`. */
export async function makeLocalFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch(unwritable(path))
}

/**
 * A file under its name when all of `bytes` is in it; until then that of before stays, whose permissions the new one has.
 * What is no file (a pipe, `/dev/null`) is written to as the bytes come. Throws `output_failed`, and what `bytes` throws.
 */
export async function writeLocal(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  onWritten: (bytes: number) => void,
): Promise<void> {
  const { target, part, mode } = await placeOf(path)
  const file = await open(part, part === target ? "w" : "wx", mode).catch(unwritable(path))
  try {
    await writeAll(file, bytes, { path, onWritten })
    await file.close().catch(unwritable(path))
    if (part !== target) await rename(part, target).catch(unwritable(path))
  } catch (error) {
    // What went wrong first is told; a closed file may be closed again.
    await file.close().catch(() => {})
    if (part !== target) await rm(part, { force: true })
    throw error
  }
}

async function writeAll(
  file: FileHandle,
  bytes: AsyncIterable<Uint8Array>,
  { path, onWritten }: { readonly path: string; readonly onWritten: (bytes: number) => void },
): Promise<void> {
  let size = 0
  for await (const piece of bytes) {
    // `write` may write a part.
    await file.writeFile(piece).catch(unwritable(path))
    size += piece.byteLength
    onWritten(size)
  }
}

interface Place {
  /** Where a link leads, so that it stays one. */
  readonly target: string
  /** What is written first: beside the target, under a name that no other transfer has; itself, if it is no file. */
  readonly part: string
  readonly mode: number
}

/** What a new file may have before the umask takes from it. */
const newFileMode = 0o666

async function placeOf(path: string): Promise<Place> {
  // What is not there yet has no place of its own.
  const target = await realpath(path).catch(() => path)
  const found = await stat(target).catch(() => null)
  if (found !== null && !found.isFile()) return { target, part: target, mode: newFileMode }
  const part = join(dirname(target), `.serialcast-${randomBytes(6).toString("hex")}.part`)
  return { target, part, mode: found === null ? newFileMode : found.mode & 0o777 }
}

function unreadable(path: string) {
  return (cause: unknown): never => {
    throw new AppError("bad_request", `${path} cannot be read: ${systemReason(cause)}.`, { cause })
  }
}

function unwritable(path: string) {
  return (cause: unknown): never => {
    throw new AppError("output_failed", `${path} cannot be written: ${systemReason(cause)}.`, { cause })
  }
}
