import { spawn } from "node:child_process"
import { once } from "node:events"
import { type FileHandle, mkdir, open } from "node:fs/promises"
import { join } from "node:path"
import { AppError } from "@serialcast/contract"
import type { Logger } from "@serialcast/service-kit"
import { errorCodeOf } from "./disk-error.ts"

const fileName = "journal.lock"
// What `flock -n` ends with when another has the lock (flock(1)).
const conflict = 1

/**
 * Makes this process the only one that uses `dir`, until the answer is disposed or the process ends, however it ends:
 * the lock is the kernel's, on a file that stays open here (flock(2)). Node has no call for it, so the `flock` program
 * takes it on the descriptor that it inherits. Without that program it goes on unlocked, and says so in the log. Throws
 * `open_failed` when another process has the lock, or the file cannot be opened.
 */
export async function lockFolder(dir: string, { log }: { readonly log: Logger }): Promise<AsyncDisposable> {
  const path = join(dir, fileName)
  const file = await openLock(dir, path)
  const release = () => file.close()
  try {
    const outcome = await flock(file.fd)
    if (outcome === "taken") {
      const holder = (await file.readFile("utf8")).trim().slice(0, 100)
      throw new AppError(
        "open_failed",
        `${dir} is used by another agent${holder === "" ? "" : `: ${holder}`}.`,
      )
    }
    if (outcome !== "locked") log.warn({ dir, reason: outcome }, "the journal's folder is not locked")
    await file.truncate()
    await file.write(`process ${process.pid}\n`, 0)
  } catch (error) {
    await release()
    throw error
  }
  return { [Symbol.asyncDispose]: release }
}

async function openLock(dir: string, path: string): Promise<FileHandle> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o750 })
    // Neither emptied nor only read: the holder's name is in it, and the next one writes its own.
    return await open(path, "a+", 0o640)
  } catch (cause) {
    throw new AppError("open_failed", `${path} cannot be opened: ${String(cause)}`, { cause })
  }
}

/** "locked", "taken", or why neither can be told. */
async function flock(file: number): Promise<string> {
  const child = spawn("flock", ["-xn", "3"], { stdio: ["ignore", "ignore", "ignore", file] })
  try {
    const [code] = (await once(child, "close")) as [number | null]
    if (code === 0) return "locked"
    return code === conflict ? "taken" : `flock ended with ${code}`
  } catch (error) {
    if (errorCodeOf(error) === "ENOENT") return "there is no flock program"
    return String(error)
  }
}
