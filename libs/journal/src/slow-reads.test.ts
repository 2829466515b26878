import { join } from "node:path"
import { countingBytes, FakeClock } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { createFiles, type Files } from "./disk/files.ts"
import { createFolder, openTestJournal, readThrough } from "./testing/test-journal.ts"

/** A disk of which no write, truncation or removal comes back while it hangs. */
function createHangingDisk() {
  const files = createFiles()
  let isHanging = false
  let released: (() => void)[] = []
  const hanging =
    <Args extends unknown[], T>(work: (...args: Args) => Promise<T>) =>
    async (...args: Args): Promise<T> => {
      if (isHanging) await new Promise<void>((resolve) => released.push(resolve))
      return await work(...args)
    }
  const disk: Files = {
    ...files,
    open: hanging(files.open),
    write: hanging(files.write),
    sync: hanging(files.sync),
    remove: hanging(files.remove),
    rename: hanging(files.rename),
    truncate: hanging(files.truncate),
  }
  return {
    files: disk,
    hang: () => (isHanging = true),
    release() {
      isHanging = false
      for (const release of released) release()
      released = []
    },
  }
}

describe.each([
  ["with a stage", true],
  ["without one", false],
])("%s, a disk that hangs for five minutes", (_name, hasStage) => {
  test.each([
    ["64 bytes each 5 ms", 64, 5],
    ["184 bytes each 16 ms", 184, 16],
    ["512 bytes each 5.5 ms", 512, 5.5],
    ["one byte a second", 1, 1_000],
  ])(
    "costs a live reader of %s two seconds at most, and what does not wait in memory is a gap of its size",
    async (_pace, size, everyMs) => {
      const dir = await createFolder()
      const clock = new FakeClock()
      const disk = createHangingDisk()
      const stage = hasStage ? join(await createFolder(), "uno") : null
      const journal = await openTestJournal({ dir, stage, clock, files: disk.files })
      journal.append("rx", countingBytes(0, 1_000))
      await journal.flushed()
      disk.hang()
      let at = 1_000
      let silentMs = 0
      let longestMs = 0
      for (let ms = 0; ms < 300_000; ms += everyMs) {
        journal.append("rx", countingBytes(at, size))
        at += size
        const { offset } = journal.head("rx")
        clock.advance(everyMs)
        silentMs =
          journal.head("rx").offset < at && journal.head("rx").offset === offset ? silentMs + everyMs : 0
        longestMs = Math.max(longestMs, silentMs)
        // What is asked of the disk is begun in between.
        if (Math.floor(ms / 10_000) !== Math.floor((ms + everyMs) / 10_000)) await new Promise(setImmediate)
      }
      expect(longestMs).toBeLessThanOrEqual(hasStage ? 0 : 2_000)
      expect(journal.head("rx").offset).toBe(at)
      disk.release()
      await journal.flushed()
      const lost = journal.counts.unkeptBytes
      expect(journal.health.problem).toBeNull()
      const { runs } = await readThrough(journal)
      expect(runs.filter((run) => run.startsWith("gap"))).toEqual(lost === 0 ? [] : [`gap ${lost}`])
      expect(runs.at(-1)).toMatch(new RegExp(`-${at}$`))
      // Sixteen mebibytes wait, each piece with its cost.
      if (size * (300_000 / everyMs) < 10_000_000) expect(lost).toBe(0)
      await journal.close()
      const next = await openTestJournal({ dir, stage, clock })
      expect([next.epoch, (await readThrough(next)).runs]).toEqual([journal.epoch, runs])
    },
    60_000,
  )
})
