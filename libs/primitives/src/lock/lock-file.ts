import { spawn } from "node:child_process"
import { once } from "node:events"
import { type FileHandle, mkdir, open } from "node:fs/promises"
import { dirname } from "node:path"

// What `flock -n` ends with when another has the lock (flock(1)).
const conflict = 1
const maxHolderLength = 100

export type Locking =
  /** The lock holds while the file is open. */
  | { readonly kind: "locked"; readonly file: FileHandle }
  /** Another process has it; how it calls itself, if it does. */
  | { readonly kind: "taken"; readonly holder: string }

/**
 * Makes this process the only one that has the lock on `path`, until the file is closed or the process ends, however it ends:
 * the lock is the kernel's, on a file that stays open here (flock(2)). Node has no call for it, so the `flock` program takes it
 * on the descriptor that it inherits. Folder and file are made when they are not there. `onUnnamed` is told why the holder's
 * name is not in the file; the lock holds without. Rejects when the disk refuses, or without that program.
 */
export async function lockFile(path: string, onUnnamed: (error: unknown) => void): Promise<Locking> {
  await mkdir(dirname(path), { recursive: true, mode: 0o750 })
  // Neither emptied nor only read: the holder's name is in it, and the next one writes its own.
  const file = await open(path, "a+", 0o640)
  try {
    if (!(await flock(file.fd))) {
      const holder = (await file.readFile("utf8")).trim().slice(0, maxHolderLength)
      await file.close()
      return { kind: "taken", holder }
    }
  } catch (error) {
    await file.close()
    throw error
  }
  await nameHolder(file).catch(onUnnamed)
  return { kind: "locked", file }
}

/** Whether it got the lock; false when another process has it. */
async function flock(file: number): Promise<boolean> {
  const child = spawn("flock", ["-xn", "3"], { stdio: ["ignore", "ignore", "ignore", file] })
  const [code] = (await once(child, "close")) as [number | null]
  if (code !== 0 && code !== conflict) throw new Error(`flock ended with ${code}`)
  return code === 0
}

async function nameHolder(file: FileHandle): Promise<void> {
  await file.truncate()
  await file.write(`process ${process.pid}\n`, 0)
}
