export interface FolderEntry {
  readonly name: string
  readonly kind: "file" | "directory"
  /** Of a file, in bytes. */
  readonly size: number
}

export interface Folder {
  /** Absolute. */
  readonly path: string
  readonly entries: readonly FolderEntry[]
  /** How many more there are. */
  readonly leftOut: number
}

/** The document of a folder, which is of whatever the page is connected to. Throws a sentence when it is none. */
export function parseFolder(bytes: Uint8Array): Folder {
  const { path, entries, leftOut } = parseObject(new TextDecoder().decode(bytes))
  if (typeof path !== "string" || !path.startsWith("/") || !Array.isArray(entries)) throw noFolder()
  return { path, entries: entries.map(parseEntry), leftOut: typeof leftOut === "number" ? leftOut : 0 }
}

function parseEntry(entry: unknown): FolderEntry {
  if (!isObject(entry)) throw noFolder()
  const { name, kind, size } = entry
  if (typeof name !== "string" || typeof size !== "number") throw noFolder()
  if (kind !== "file" && kind !== "directory") throw noFolder()
  return { name, kind, size }
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw noFolder()
  }
  if (!isObject(value)) throw noFolder()
  return value
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null
}

function noFolder(): Error {
  return new Error("What came is no list of a folder.")
}

/** The path of what is called `name` in a folder. */
export function pathIn(folder: string, name: string): string {
  return folder.endsWith("/") ? `${folder}${name}` : `${folder}/${name}`
}

export interface Crumb {
  readonly name: string
  readonly path: string
}

/** The folders that lead to this one, from the root on, and itself. */
export function crumbsOf(path: string): readonly Crumb[] {
  const crumbs: Crumb[] = [{ name: "/", path: "/" }]
  for (const name of path.split("/").filter((part) => part !== ""))
    crumbs.push({ name, path: pathIn(crumbs.at(-1)?.path ?? "/", name) })
  return crumbs
}

const unit = 1_024

/** A size for people: `512 B`, `1.5 KiB`, `12 MiB`. */
export function sizeText(bytes: number): string {
  if (bytes < unit) return `${bytes} B`
  // What would round up to 1024 of a unit is 1 of the next.
  const isKibi = bytes < (unit - 0.5) * unit
  const value = bytes / (isKibi ? unit : unit * unit)
  return `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)} ${isKibi ? "KiB" : "MiB"}`
}
