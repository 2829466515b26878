import { createReadStream } from "node:fs"
import { type FileHandle, open, readdir, rename, rm, stat } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { AppError } from "@serialcast/contract"

/** A file or folder of this machine. */
export interface LocalPath {
  readonly path: string
  readonly kind: "file" | "directory"
  /** In bytes; 0 for a folder. */
  readonly size: number
}

/** Throws `bad_request` for what is not there, and what is neither file nor folder. */
export async function findLocal(path: string): Promise<LocalPath> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new AppError("bad_request", `${path} cannot be read: ${String(cause)}.`, { cause })
  })
  if (found.isDirectory()) return { path, kind: "directory", size: 0 }
  if (found.isFile()) return { path, kind: "file", size: found.size }
  throw new AppError("bad_request", `${path} is neither a file nor a folder.`)
}

/** All that is below a folder, each folder before what is in it, by name. */
export async function* walkLocal(folder: string): AsyncGenerator<LocalPath, void, undefined> {
  const names = await readdir(folder)
  for (const name of names.sort()) {
    const found = await findLocal(join(folder, name))
    yield found
    if (found.kind === "directory") yield* walkLocal(found.path)
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
  } catch (cause) {
    throw new AppError("bad_request", `${path} cannot be read: ${String(cause)}.`, { cause })
  }
}

/** A file under its final name when all of `bytes` is in it; until then that of before stays. Throws `bad_request`. */
export async function writeLocal(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  onWritten: (bytes: number) => void,
): Promise<void> {
  const part = join(dirname(path), `.${basename(path)}.part`)
  const file = await openPart(part, path)
  try {
    let size = 0
    for await (const piece of bytes) {
      await file.write(piece)
      size += piece.byteLength
      onWritten(size)
    }
    await file.close()
    await rename(part, path)
  } catch (error) {
    await file.close()
    await rm(part, { force: true })
    throw error
  }
}

async function openPart(part: string, path: string): Promise<FileHandle> {
  return await open(part, "w").catch((cause: unknown) => {
    throw new AppError("bad_request", `${path} cannot be written: ${String(cause)}.`, { cause })
  })
}
