import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { Clock } from "@serialcast/primitives"
import type { Config, Logger } from "@serialcast/service-kit"
import { createEpoch } from "./create-epoch.ts"
import { openDiskJournal } from "./disk-journal.ts"
import type { Journal } from "./journal.ts"
import { lockFolder } from "./lock-folder.ts"

/** The journals of one gateway. */
export interface Journals {
  /** Of one device; it always opens. */
  open(device: string): Promise<Journal>
  /** To be called when all journals are closed: another agent may then open them. */
  release(): Promise<void>
}

export interface JournalsDeps {
  readonly clock: Clock
  readonly log: Logger
}

const bootIdFile = "/proc/sys/kernel/random/boot_id"

/** Throws `journal_taken` when another agent has this gateway's journals open. */
export async function openJournals(
  { gateway, journal: { dir, ...limits } }: Pick<Config, "gateway" | "journal">,
  { clock, log }: JournalsDeps,
): Promise<Journals> {
  const folder = join(dir, gateway)
  const lock = await lockFolder(folder, { log })
  const bootId = await readBootId()
  return {
    async open(device) {
      const deps = { clock, log: log.child({ device: `${gateway}/${device}` }), createEpoch, bootId }
      return await openDiskJournal({ dir: join(folder, device), ...limits }, deps)
    },
    async release() {
      await lock[Symbol.asyncDispose]()
    },
  }
}

/** Tells one run of the system from the next; null where it does not say. */
async function readBootId(): Promise<string | null> {
  try {
    return (await readFile(bootIdFile, "utf8")).trim()
  } catch {
    // Not Linux.
    return null
  }
}
