import { createEpoch, createFiles, type DiskJournal, openDiskJournal } from "@serialcast/journal"
import type { Clock } from "@serialcast/primitives"
import { FakeClock } from "@serialcast/testkit"
import { onTestFinished } from "vitest"

const nothing = () => {}
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing }

/** A journal on disk, closed after the test. */
export async function openTestJournal({
  dir,
  stage = null,
  clock,
}: {
  readonly dir: string
  readonly stage?: string | null
  readonly clock?: Clock
}): Promise<DiskJournal> {
  const journal = await openDiskJournal(
    { dir, stage, maxBytes: 64 * 1024 * 1024, maxAgeMs: null, syncMs: 1_000 },
    { clock: clock ?? new FakeClock(1_000), log, createEpoch, bootId: "boot-1", files: createFiles() },
  )
  onTestFinished(() => journal.close())
  return journal
}
