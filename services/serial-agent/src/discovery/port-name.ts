import { basename } from "node:path"
import { isName } from "@serialcast/contract"

const maxNameLength = 64
// Far more ports than a machine has sockets; a device that shows up with an ever new serial number fills no memory.
const maxRemembered = 1_000

/** Names for ports that nobody named. One that comes back has its old name, and no other port gets it. */
export class PortNames {
  readonly #reserved: readonly string[]
  /** By path, the one that was looked up last at the end. */
  readonly #remembered = new Map<string, string>()

  /** Names in `reserved` are not given away. */
  constructor(reserved: readonly string[]) {
    this.#reserved = reserved
  }

  of(path: string): string {
    const name = this.#remembered.get(path) ?? namePort(path, this.#taken)
    this.#remembered.delete(path)
    this.#remembered.set(path, name)
    const [oldest] = this.#remembered.keys()
    if (oldest !== undefined && this.#remembered.size > maxRemembered) this.#remembered.delete(oldest)
    return name
  }

  get #taken(): ReadonlySet<string> {
    return new Set([...this.#reserved, ...this.#remembered.values()])
  }
}

/** A device name from a port's link or node; unlike all of `taken`. */
export function namePort(path: string, taken: ReadonlySet<string>): string {
  // What tells two alike apart, a serial number or a place, is at the end.
  const readable = basename(path)
    .toLowerCase()
    .replace(/^usb-/, "")
    .replaceAll(/[^a-z0-9_-]+/g, "-")
    .slice(-maxNameLength)
    .replace(/^[^a-z0-9]+/, "")
  const name = isName(readable) ? readable : "port"
  for (let n = 1; ; n++) {
    const ending = n === 1 ? "" : `-${n}`
    const candidate = name.slice(0, maxNameLength - ending.length) + ending
    if (!taken.has(candidate)) return candidate
  }
}
