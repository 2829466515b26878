import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"

export interface FolderSize {
  /** Sum of the files' lengths. */
  readonly lengthBytes: number
  /** What the files take on the disk. */
  readonly diskBytes: number
}

const nothing: FolderSize = { lengthBytes: 0, diskBytes: 0 }

/** All files below `folder`. Files may come and go meanwhile. */
export async function folderSize(folder: string): Promise<FolderSize> {
  const entries = await readdir(folder, { recursive: true }).catch(whenGone([]))
  const sizes = await Promise.all(
    entries.map((entry) =>
      stat(join(folder, entry)).then(
        (found) => (found.isFile() ? { lengthBytes: found.size, diskBytes: found.blocks * 512 } : nothing),
        whenGone(nothing),
      ),
    ),
  )
  return sizes.reduce(
    (sum, size) => ({
      lengthBytes: sum.lengthBytes + size.lengthBytes,
      diskBytes: sum.diskBytes + size.diskBytes,
    }),
    nothing,
  )
}

function whenGone<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === "ENOENT") return value
    throw error
  }
}
