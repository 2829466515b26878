import { AppError } from "@serialcast/contract"
import { type Clock, withDeadline } from "@serialcast/primitives"
import type { Files } from "./files.ts"

export interface Patience {
  readonly clock: Clock
  /** For one operation, not for their sum: a disk that is slow but works is waited for. */
  readonly timeoutMs: number
}

/**
 * `files`, but an operation that hangs rejects. It may still be done later, so the bytes of a device are not written by it:
 * who gives up a write cannot say what is where. A file that is opened too late is closed again.
 */
export function createPatientFiles(files: Files, { clock, timeoutMs }: Patience): Files {
  const error = () => new AppError("journal_failed", `The disk took more than ${timeoutMs} ms.`)
  const patient =
    <Args extends unknown[], T>(work: (...args: Args) => Promise<T>, undo?: (late: T) => Promise<void>) =>
    async (...args: Args): Promise<T> => {
      const working = work(...args)
      try {
        return await withDeadline(working, { clock, timeoutMs, error })
      } catch (cause) {
        // What came to nothing needs no undoing; what came too late does.
        if (undo !== undefined) working.then(undo).catch(() => {})
        throw cause
      }
    }
  return {
    open: patient(files.open, (file) => files.close(file)),
    close: patient(files.close),
    read: patient(files.read),
    write: patient(files.write),
    truncate: patient(files.truncate),
    sync: patient(files.sync),
    syncFolder: patient(files.syncFolder),
    status: patient(files.status),
    measure: patient(files.measure),
    list: patient(files.list),
    makeFolder: patient(files.makeFolder),
    removeFolder: patient(files.removeFolder),
    remove: patient(files.remove),
    rename: patient(files.rename),
  }
}
