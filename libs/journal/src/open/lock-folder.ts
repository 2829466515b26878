import type { FileHandle } from "node:fs/promises"
import { join } from "node:path"
import { AppError } from "@serialcast/contract"
import { type Clock, withDeadline } from "@serialcast/primitives"
import { lockFile } from "@serialcast/primitives/lock"
import type { Log } from "../log.ts"

const fileName = "journal.lock"
// A disk that takes longer hangs.
const timeoutMs = 3_000

export interface LockDeps {
  readonly clock: Clock
  readonly log: Log
}

/**
 * Makes this process the only one that uses `dir`, until the answer is disposed or the process ends, however it ends.
 * Throws `journal_taken` when another process has the lock. Without the `flock` program, or on a disk that refuses or hangs, it
 * goes on unlocked, and says so in the log.
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
  const locking = await lockFile(join(dir, fileName), (error) => {
    // A full disk has no room for a name; the lock holds without.
    log.warn({ dir, reason: String(error) }, "the journal's lock does not name its holder")
  })
  if (locking.kind === "locked") return locking.file
  const { holder } = locking
  throw new AppError("journal_taken", `${dir} is used by another agent${holder === "" ? "" : `: ${holder}`}.`)
}
