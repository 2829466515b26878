import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { Clock } from "@serialcast/primitives"
import { createEpoch } from "./create-epoch.ts"
import { createFiles } from "./disk/files.ts"
import type { Journal } from "./journal.ts"
import type { Log } from "./log.ts"
import { lockFolder } from "./open/lock-folder.ts"
import { openDiskJournal } from "./open/open-disk-journal.ts"
import { chooseStageFolder, releaseStageFolder, type StageChoice } from "./stage/stage-folder.ts"

/** The journals of one gateway. */
export interface Journals {
  /** Of one device; it always opens. */
  open(device: string): Promise<Journal>
  /** To be called when all journals are closed: another agent may then open them. */
  release(): Promise<void>
}

export interface JournalsOptions {
  readonly gateway: string
  readonly journal: {
    /** Of all gateways' journals. */
    readonly dir: string
    /** Of one device. */
    readonly maxBytes: number
    readonly maxAgeMs: number | null
    readonly syncMs: number
    readonly stage: StageChoice
  }
}

export interface JournalsDeps {
  readonly clock: Clock
  readonly log: Log & { child(fields: object): Log }
}

const bootIdFile = "/proc/sys/kernel/random/boot_id"

/** Throws `journal_taken` when another agent has this gateway's journals open; a disk that refuses throws nothing. */
export async function openJournals(
  { gateway, journal: { dir, stage, ...limits } }: JournalsOptions,
  { clock, log }: JournalsDeps,
): Promise<Journals> {
  const folder = join(dir, gateway)
  const lock = await lockFolder(folder, { clock, log })
  const stages = await chooseStageFolder(stage, { folder, log })
  const shared = { clock, createEpoch, bootId: await readBootId(), files: createFiles() }
  return {
    async open(device) {
      const deps = { ...shared, log: log.child({ device: `${gateway}/${device}` }) }
      const own = { dir: join(folder, device), stage: stages === null ? null : join(stages.path, device) }
      return await openDiskJournal({ ...own, ...limits }, deps)
    },
    async release() {
      if (stages !== null) await releaseStageFolder(stages.path)
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
