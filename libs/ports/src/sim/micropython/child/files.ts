import { posix } from "node:path"
import { encodeChange, type Flash, type FlashChange } from "../flash.ts"
import { encodeFrame, frameKinds } from "../frames.ts"
import type { FileNode, FileSystem, Stream } from "./emscripten.ts"
import { noSpaceLeft } from "./error-numbers.ts"
import { writeFrame } from "./uart.ts"

/** The folder that the interpreter has as its root. */
export const flashFolder = "/flash"
// As much as boards have.
const flashBlocks = 512
const blockBytes = 4096
const accessMode = 0o3

/** Gives the interpreter the files of the flash, and tells the flash, and our process, what becomes of them. */
export function mountFlash(files: FileSystem, flash: Flash): void {
  files.mkdir(flashFolder)
  boundSize(files)
  for (const change of flash.changes()) {
    const path = flashFolder + change.path
    if (change.kind === "put") files.writeFile(path, change.bytes)
    else files.mkdir(path)
  }
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

/** As on a real flash, everything takes whole blocks, empty files and folders too. */
function boundSize(files: FileSystem): void {
  const usedBlocks = () => blocksOf(files.analyzePath("/").object)
  const maxBlocks = usedBlocks() + flashBlocks
  const check = (moreBlocks: number) => {
    if (moreBlocks > 0 && usedBlocks() + moreBlocks > maxBlocks) throw new files.ErrnoError(noSpaceLeft)
  }
  const { mknod, statfs } = files
  files.mknod = (...args) => {
    check(1)
    return mknod.apply(files, args)
  }
  const { stream } = files.filesystems.MEMFS.ops_table.file
  const { write } = stream
  stream.write = (file, buffer, offset, length, position = 0) => {
    check(sizeInBlocks(position + length) - sizeInBlocks(file.node.usedBytes))
    return write?.(file, buffer, offset, length, position) ?? 0
  }
  files.statfs = (path) => {
    const free = maxBlocks - usedBlocks()
    const size = { bsize: blockBytes, frsize: blockBytes, blocks: flashBlocks }
    return { ...statfs.call(files, path), ...size, bfree: free, bavail: free }
  }
}

function sizeInBlocks(sizeBytes: number): number {
  return Math.max(1, Math.ceil(sizeBytes / blockBytes))
}

function blocksOf(node: FileNode | null | undefined): number {
  const { contents } = node ?? {}
  // A folder's are its nodes, a file's its bytes.
  if (
    typeof contents !== "object" ||
    contents === null ||
    ArrayBuffer.isView(contents) ||
    Array.isArray(contents)
  )
    return sizeInBlocks(node?.usedBytes ?? 0)
  const children = Object.values(contents as Record<string, FileNode>)
  return children.reduce((sum, child) => sum + blocksOf(child), 1)
}
