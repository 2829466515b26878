import { posix } from "node:path"
import { encodeChange, type Flash, type FlashChange } from "../flash.ts"
import { encodeFrame, frameKinds } from "../frames.ts"
import type { FileNode, FileSystem, Stream } from "./emscripten.ts"
import { noSpaceLeft } from "./error-numbers.ts"
import { writeFrame } from "./uart.ts"

/** The folder that the interpreter has as its root. */
export const flashFolder = "/flash"
// As much as boards have.
const flashBytes = 2 * 1024 * 1024
const blockBytes = 4096
const accessMode = 0o3

/** Gives the interpreter the files of the flash, and tells the flash, and our process, what becomes of them. */
export function mountFlash(files: FileSystem, flash: Flash): void {
  files.mkdir(flashFolder)
  for (const change of flash.changes()) {
    const path = flashFolder + change.path
    if (change.kind === "put") files.writeFile(path, change.bytes)
    else files.mkdir(path)
  }
  boundSize(files)
  watch(files, (change) => {
    flash.apply(change)
    writeFrame(encodeFrame(frameKinds.flash, encodeChange(change)))
  })
}

/** As the interpreter calls them with paths of its own, and the system with open files. */
function watch(files: FileSystem, changed: (change: FlashChange) => void): void {
  const inFlash = (path: string) => {
    const absolute = posix.resolve(files.cwd(), path)
    return absolute.startsWith(`${flashFolder}/`) ? absolute.slice(flashFolder.length) : undefined
  }
  const { mkdir, rmdir, unlink, rename, close } = files
  const tell = (kind: "makeFolder" | "remove", path: string) => {
    const place = inFlash(path)
    if (place !== undefined) changed({ kind, path: place })
  }
  files.mkdir = (path, mode) => {
    mkdir.call(files, path, mode)
    tell("makeFolder", path)
  }
  for (const [name, remove] of Object.entries({ rmdir, unlink }) as ["rmdir" | "unlink", typeof unlink][])
    files[name] = (path) => {
      remove.call(files, path)
      tell("remove", path)
    }
  files.rename = (path, target) => {
    rename.call(files, path, target)
    const [from, to] = [inFlash(path), inFlash(target)]
    if (from !== undefined && to !== undefined) changed({ kind: "rename", path: from, to })
  }
  files.close = (stream: Stream) => {
    const path = (stream.flags & accessMode) === 0 ? undefined : inFlash(files.getPath(stream.node))
    close.call(files, stream)
    if (path !== undefined && files.analyzePath(flashFolder + path).exists)
      changed({ kind: "put", path, bytes: files.readFile(flashFolder + path) })
  }
}

function boundSize(files: FileSystem): void {
  const used = () => sizeOf(files.analyzePath(flashFolder).object)
  const { stream } = files.filesystems.MEMFS.ops_table.file
  const { write } = stream
  stream.write = (file, buffer, offset, length, position = 0) => {
    const growth = position + length - file.node.usedBytes
    if (growth > 0 && used() + growth > flashBytes) throw new files.ErrnoError(noSpaceLeft)
    return write?.(file, buffer, offset, length, position) ?? 0
  }
  const { statfs } = files
  files.statfs = (path) => {
    const free = Math.floor((flashBytes - used()) / blockBytes)
    const blocks = flashBytes / blockBytes
    return {
      ...statfs.call(files, path),
      bsize: blockBytes,
      frsize: blockBytes,
      blocks,
      bfree: free,
      bavail: free,
    }
  }
}

function sizeOf(node: FileNode | null | undefined): number {
  const { contents } = node ?? {}
  // A folder's are its nodes, a file's its bytes.
  if (
    typeof contents !== "object" ||
    contents === null ||
    ArrayBuffer.isView(contents) ||
    Array.isArray(contents)
  )
    return node?.usedBytes ?? 0
  return Object.values(contents as Record<string, FileNode>).reduce((sum, child) => sum + sizeOf(child), 0)
}
