import { basename } from "node:path"
import { isName } from "@serialcast/contract"

const maxNameLength = 64

/** A device name for a port that nobody named: from its by-id link, else from its node; unlike all of `taken`. */
export function namePort(path: string, taken: ReadonlySet<string>): string {
  const readable = basename(path)
    .toLowerCase()
    .replace(/^usb-/, "")
    .replaceAll(/[^a-z0-9_-]+/g, "-")
    .replace(/^[^a-z0-9]+/, "")
    .slice(0, maxNameLength)
  const name = isName(readable) ? readable : "port"
  for (let n = 1; ; n++) {
    const ending = n === 1 ? "" : `-${n}`
    const candidate = name.slice(0, maxNameLength - ending.length) + ending
    if (!taken.has(candidate)) return candidate
  }
}
