import { AppError } from "@serialcast/contract"
import type { BoardFiles, FileEntry } from "@serialcast/micropython"
import picomatch from "picomatch"

/** Paths of a board have slashes, whatever this machine has. */
export function joinPath(folder: string, name: string): string {
  if (folder === ".") return name
  return folder.endsWith("/") ? `${folder}${name}` : `${folder}/${name}`
}

export function baseName(path: string): string {
  return path.replace(/\/+$/, "").split("/").at(-1) ?? ""
}

/** Folder and last part: `lib/a.py` is in `lib`, `a.py` in the board's current folder, which is `.`. */
function split(path: string): [folder: string, name: string] {
  const at = path.lastIndexOf("/")
  if (at < 0) return [".", path]
  return [at === 0 ? "/" : path.slice(0, at), path.slice(at + 1)]
}

export interface BoardPath extends Omit<FileEntry, "name"> {
  readonly path: string
}

/** What a path means on the board: itself, or with `*`, `?` or `[…]` in its last part all that fit. Throws `no_such_file`. */
export async function findPaths(files: BoardFiles, pattern: string): Promise<BoardPath[]> {
  const [folder, name] = split(pattern)
  if (!/[*?[]/.test(name)) return [{ path: pattern, ...(await files.stat(pattern)) }]
  const isMatch = picomatch(name)
  const found = (await files.list(folder)).filter((entry) => isMatch(entry.name))
  if (found.length === 0) throw new AppError("no_such_file", `Nothing on the board fits ${pattern}.`)
  return found.map(({ name: own, kind, size }) => ({ path: joinPath(folder, own), kind, size }))
}

/** All that is below a folder, each folder before what is in it. */
export async function* walkBoard(
  files: BoardFiles,
  folder: string,
): AsyncGenerator<BoardPath, void, undefined> {
  for (const { name, kind, size } of await files.list(folder)) {
    const path = joinPath(folder, name)
    yield { path, kind, size }
    if (kind === "directory") yield* walkBoard(files, path)
  }
}
