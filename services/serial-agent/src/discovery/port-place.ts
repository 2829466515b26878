import { realpath, stat } from "node:fs/promises"

/** What a port leads to. */
export interface PortPlace {
  /** The same for all ports that lead there. */
  readonly id: string
  /** For people. */
  readonly name: string
}

// Slaves of pseudo-terminals (Linux, Documentation/admin-guide/devices.txt). Each mount of devpts counts its own from 0.
const terminalMajors = { first: 136, last: 143 }

/** Null when `port` is nothing that can be shared, or is not there, which opening it will say. */
export async function placeOf(port: string): Promise<PortPlace | null> {
  if (port.startsWith("sim:")) return null
  if (port.startsWith("/")) return await fileAt(port).catch(() => null)
  const name = serverAt(port.toLowerCase())
  return { id: name, name }
}

/** Links, and other nodes of the same device, as containers are given them. */
async function fileAt(path: string): Promise<PortPlace> {
  const [name, found] = await Promise.all([realpath(path), stat(path)])
  // glibc's makedev, below 4096.
  const major = (found.rdev >> 8) & 0xfff
  const isTerminal = major >= terminalMajors.first && major <= terminalMajors.last
  const isDevice = found.isCharacterDevice() && !isTerminal
  return { id: isDevice ? `device ${found.rdev}` : `file ${found.dev}:${found.ino}`, name }
}

/** A server of devices is the same one under each protocol. */
function serverAt(port: string): string {
  const server = port.replace(/^[a-z0-9]+:\/\//, "")
  return server.replace(/^localhost:/, "127.0.0.1:")
}
