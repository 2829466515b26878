import { readdir, readlink } from "node:fs/promises"
import { join } from "node:path"

/** What the descriptors of a process stand for, as proc(5) names it: a path, `socket:[…]`, and the like. */
export async function openFiles(pid: number): Promise<readonly string[]> {
  const folder = `/proc/${pid}/fd`
  const files = await readdir(folder)
  // One that is closed meanwhile has no name.
  return await Promise.all(files.map((file) => readlink(join(folder, file)).catch(() => "")))
}
