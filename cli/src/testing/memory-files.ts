import { AppError } from "@serialcast/contract"
import type { BoardFiles, FileEntry } from "@serialcast/micropython"

/** Folders of a board and what they say is in them. Only looking works. */
export function memoryFiles(folders: Readonly<Record<string, readonly FileEntry[]>>): BoardFiles {
  const entryOf = (path: string) => {
    const at = path.lastIndexOf("/")
    const folder = at < 0 ? "." : path.slice(0, at) || "/"
    return folders[folder]?.find(({ name }) => name === path.slice(at + 1))
  }
  const never = () => Promise.reject(new Error("This board can only be looked at."))
  return {
    async stat(path) {
      if (folders[path] !== undefined) return { kind: "directory", size: 0 }
      const entry = entryOf(path)
      if (entry === undefined) throw new AppError("no_such_file", `There is no ${path}.`)
      return entry
    },
    async list(path) {
      const entries = folders[path]
      if (entries === undefined) throw new AppError("no_such_file", `There is no ${path}.`)
      return entries
    },
    put: never,
    get: never,
    remove: never,
    rename: never,
    mkdir: never,
    hash: never,
    currentFolder: never,
  }
}

export const fileEntry = (name: string, size = 1): FileEntry => ({ name, kind: "file", size })
export const folderEntry = (name: string): FileEntry => ({ name, kind: "directory", size: 0 })
