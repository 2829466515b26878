import { AppError } from "@serialcast/contract"
import type { BoardFiles, FileEntry } from "@serialcast/micropython"
import picomatch from "picomatch"
import { UsageError } from "../command/usage-error.ts"

/** No board has folders so deep, nor so many files; one that says so goes on saying it. */
const [mostLevels, mostEntries] = [64, 20_000]
const isPattern = /[*?[]/
/** What patterns are said to be, and no more of what shells have. */
const patternOptions = { nonegate: true, noextglob: true, nobrace: true, noglobstar: true }

/** Paths of a board have slashes, whatever this machine has. Of no name: the folder itself. */
export function joinPath(folder: string, name: string): string {
  if (name === "") return folder
  if (folder === ".") return name
  return folder.endsWith("/") ? `${folder}${name}` : `${folder}/${name}`
}

/** The name that a copy gets: `b.py` of `a/b.py`; none of `/`, `.` and `..`, of which what is in them is copied. */
export function baseName(path: string): string {
  const name = path.replace(/\/+$/, "").split("/").at(-1) ?? ""
  return name === "." || name === ".." ? "" : name
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

/**
 * What paths mean on the board, each once: themselves, or with `*`, `?` or `[…]` in the last part all that fit; `\` takes
 * the next character as it is. Throws `no_such_file`, when one of them means nothing.
 */
export async function findPaths(files: BoardFiles, patterns: readonly string[]): Promise<BoardPath[]> {
  const found = new Map<string, BoardPath>()
  for (const pattern of patterns)
    for (const one of await find(files, pattern)) if (!found.has(one.path)) found.set(one.path, one)
  return [...found.values()]
}

async function find(files: BoardFiles, pattern: string): Promise<BoardPath[]> {
  const [folder, name] = split(pattern)
  if (!isPattern.test(name)) return [{ path: pattern, ...(await files.stat(pattern)) }]
  if (isPattern.test(folder)) throw new UsageError(`${pattern}: only the last part may be a pattern.`)
  const isMatch = picomatch(name, patternOptions)
  // A pattern has to begin with a dot itself to mean names that do: what a put left has one of those.
  const isAll = name.startsWith(".")
  const found = (await listSafely(files, folder, isAll)).filter((entry) => isMatch(entry.name))
  if (found.length === 0) throw new AppError("no_such_file", `Nothing on the board fits ${pattern}.`)
  return found.map(({ name: own, kind, size }) => ({ path: joinPath(folder, own), kind, size }))
}

/** All that is below a folder, each folder before what is in it. Throws `board_error` for what no board has. */
export async function* walkBoard(
  files: BoardFiles,
  folder: string,
): AsyncGenerator<BoardPath, void, undefined> {
  let count = 0
  for await (const one of walkLevels(files, folder, mostLevels)) {
    if (++count > mostEntries)
      throw new AppError("board_error", `${folder} has more than ${mostEntries} files and folders in it.`)
    yield one
  }
}

async function* walkLevels(
  files: BoardFiles,
  folder: string,
  levels: number,
): AsyncGenerator<BoardPath, void, undefined> {
  if (levels === 0) throw new AppError("board_error", `${folder} is more than ${mostLevels} folders deep.`)
  for (const { name, kind, size } of await listSafely(files, folder)) {
    const path = joinPath(folder, name)
    yield { path, kind, size }
    if (kind === "directory") yield* walkLevels(files, path, levels - 1)
  }
}

/** A name is the board's to say, and becomes one of this machine: none may lead out of the folder that it is for. */
async function listSafely(files: BoardFiles, folder: string, isAll = false): Promise<readonly FileEntry[]> {
  const entries = await files.list(folder, { isAll })
  const bad = entries.find(({ name }) => name === "" || name === "." || name === ".." || /[/\0]/.test(name))
  if (bad === undefined) return entries
  throw new AppError("board_error", `The board says that ${JSON.stringify(bad.name)} is in ${folder}.`)
}
