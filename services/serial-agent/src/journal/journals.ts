import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { Clock } from "@serialcast/primitives"
import type { Config, Logger } from "@serialcast/service-kit"
import { createEpoch } from "./create-epoch.ts"
import { openDiskJournal } from "./disk-journal.ts"
import { createFiles } from "./files.ts"
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

/** Throws `journal_taken` when another agent has this gateway's journals open; a disk that refuses throws nothing. */
export async function openJournals(
  { gateway, journal: { dir, ...limits } }: Pick<Config, "gateway" | "journal">,
  { clock, log }: JournalsDeps,
): Promise<Journals> {
  const folder = join(dir, gateway)
  const lock = await lockFolder(folder, { clock, log })
  const shared = { clock, createEpoch, bootId: await readBootId(), files: createFiles() }
  return {
    async open(device) {
      const deps = { ...shared, log: log.child({ device: `${gateway}/${device}` }) }
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
