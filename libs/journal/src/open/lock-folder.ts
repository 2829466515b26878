import { spawn } from "node:child_process"
import { once } from "node:events"
import { type FileHandle, mkdir, open } from "node:fs/promises"
import { join } from "node:path"
import { AppError } from "@serialcast/contract"
import { type Clock, withDeadline } from "@serialcast/primitives"
import type { Log } from "../log.ts"

const fileName = "journal.lock"
// What `flock -n` ends with when another has the lock (flock(1)).
const conflict = 1
// A disk that takes longer hangs.
const timeoutMs = 3_000

export interface LockDeps {
  readonly clock: Clock
  readonly log: Log
}

/**
 * Makes this process the only one that uses `dir`, until the answer is disposed or the process ends, however it ends:
 * the lock is the kernel's, on a file that stays open here (flock(2)). Node has no call for it, so the `flock` program
 * takes it on the descriptor that it inherits. Throws `journal_taken` when another process has the lock. Without that
 * program, or on a disk that refuses or hangs, it goes on unlocked, and says so in the log.
 */
export async function lockFolder(dir: string, { clock, log }: LockDeps): Promise<AsyncDisposable> {
  const locking = takeLock(dir, log)
  const tooLate = () => new AppError("journal_failed", `The disk took more than ${timeoutMs} ms.`)
  try {
    const file = await withDeadline(locking, { clock, timeoutMs, error: tooLate })
    return { [Symbol.asyncDispose]: () => file.close() }
  } catch (error) {
    if (error instanceof AppError && error.code === "journal_taken") throw error
    log.error({ dir, reason: String(error) }, "the journal's folder is not locked: let no other agent use it")
    // A lock that comes after its time is given back, so that this process may lock anew.
    locking.then((file) => file.close()).catch(() => {})
    return { async [Symbol.asyncDispose]() {} }
  }
}

/** Answers the file that holds the lock while it is open. */
async function takeLock(dir: string, log: Log): Promise<FileHandle> {
  await mkdir(dir, { recursive: true, mode: 0o750 })
  // Neither emptied nor only read: the holder's name is in it, and the next one writes its own.
  const file = await open(join(dir, fileName), "a+", 0o640)
  try {
    if (!(await flock(file.fd))) throw taken(dir, await file.readFile("utf8"))
  } catch (error) {
    await file.close()
    throw error
  }
  await nameHolder(file).catch((error: unknown) => {
    // A full disk has no room for a name; the lock holds without.
    log.warn({ dir, reason: String(error) }, "the journal's lock does not name its holder")
  })
  return file
}

/** Whether it got the lock; false when another process has it. */
async function flock(file: number): Promise<boolean> {
  const child = spawn("flock", ["-xn", "3"], { stdio: ["ignore", "ignore", "ignore", file] })
  const [code] = (await once(child, "close")) as [number | null]
  if (code !== 0 && code !== conflict) throw new Error(`flock ended with ${code}`)
  return code === 0
}

function taken(dir: string, text: string): AppError {
  const holder = text.trim().slice(0, 100)
  return new AppError(
    "journal_taken",
    `${dir} is used by another agent${holder === "" ? "" : `: ${holder}`}.`,
  )
}

async function nameHolder(file: FileHandle): Promise<void> {
  await file.truncate()
  await file.write(`process ${process.pid}\n`, 0)
}
