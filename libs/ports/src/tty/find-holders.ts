import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { readdir, realpath } from "node:fs/promises"
import { setImmediate as nextTurn } from "node:timers/promises"

/** A process that has a port open. */
export interface Holder {
  readonly pid: number
  /** As it calls itself. */
  readonly name: string
}

/**
 * The other processes that have one of `paths` open, by path, as far as this user may know: in a container, and without being
 * root, only its own ones (proc(5), `/proc/<pid>/fd`). Who was there first takes part of the bytes, whatever locks there are.
 * The other end of a pseudo-terminal is none of them.
 */
export async function findHolders(paths: readonly string[]): Promise<ReadonlyMap<string, readonly Holder[]>> {
  const held = new Map<string, Holder[]>(paths.map((path) => [path, []]))
  const pathsOf = new Map<string, string[]>()
  for (const path of paths) {
    // One that is not there is held by nobody.
    const real = await realpath(path).catch(() => null)
    if (real !== null) pathsOf.set(real, [...(pathsOf.get(real) ?? []), path])
  }
  if (pathsOf.size === 0) return held
  const pids = (await readdir("/proc").catch(() => [])).map(Number).filter(Number.isInteger)
  for (const pid of pids) {
    if (pid === process.pid) continue
    for (const real of openTtys(pid))
      for (const path of pathsOf.get(real) ?? []) held.get(path)?.push({ pid, name: nameOf(pid) })
    // Thousands of links are read, some 2 µs each: nobody waits for more than one process's.
    await nextTurn()
  }
  return held
}

/** Paths below /dev that the process has open, without terminals of which it holds the other end. */
function openTtys(pid: number): ReadonlySet<string> {
  const ttys = new Set<string>()
  const ends = new Set<string>()
  try {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      const target = readlinkSync(`/proc/${pid}/fd/${fd}`)
      if (!target.startsWith("/dev/")) continue
      if (target.endsWith("/ptmx")) ends.add(`/dev/pts/${ptyNumber(pid, fd)}`)
      else ttys.add(target)
    }
  } catch {
    // It ended, or is somebody else's: what was found before counts.
  }
  for (const end of ends) ttys.delete(end)
  return ttys
}

function ptyNumber(pid: number, fd: string): string {
  return /^tty-index:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, "latin1"))?.[1] ?? ""
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim()
  } catch {
    return "a process that ended"
  }
}
