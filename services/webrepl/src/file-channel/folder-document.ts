import type { FileEntry } from "@serialcast/micropython"

/** More than a person looks through; of about 300 KB. */
const maxEntries = 4_000

/** What a folder holds, as the page of this service gets it. */
export interface FolderDocument {
  /** Absolute. */
  readonly path: string
  /** Folders first, each kind by name. */
  readonly entries: readonly FileEntry[]
  /** How many more there are than these. */
  readonly leftOut: number
}

/** The document of a folder, in UTF-8; of one with more than 4,000 entries those that come first. */
export function encodeFolder(path: string, found: readonly FileEntry[]): Uint8Array {
  const sorted = [...found].sort(byKindAndName)
  const entries = sorted.slice(0, maxEntries).map(({ name, kind, size }) => ({ name, kind, size }))
  const document: FolderDocument = { path, entries, leftOut: sorted.length - entries.length }
  return new TextEncoder().encode(JSON.stringify(document))
}

function byKindAndName(a: FileEntry, b: FileEntry): number {
  if (a.kind !== b.kind) return a.kind === "directory" ? -1 : 1
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}

/** A path that may be relative to `current`, as an absolute one without a slash at its end. */
export function absoluteFolder(current: string, path: string): string {
  const whole = path.startsWith("/") ? path : `${current}/${path}`
  return `/${whole
    .split("/")
    .filter((part) => part !== "")
    .join("/")}`
}
