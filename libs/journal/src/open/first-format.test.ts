import { cp, readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { formatCursor } from "@serialcast/contract"
import { countingBytes, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { createFolder, cursorOf, openTestJournal, readThrough } from "../testing/test-journal.ts"

const stored = fileURLToPath(new URL("../../fixtures/format-1", import.meta.url))
const [cut, last] = ["0000000000000001", "0000000000000002"]

/** A journal as version 0.1.0 left it: 90,000 bytes of an epoch that a power failure ended, and a second one, closed. */
async function restore(): Promise<string> {
  const dir = await createFolder()
  await cp(stored, dir, { recursive: true })
  const path = join(dir, "journal.json")
  const note = JSON.parse(await readFile(path, "utf8")) as object
  // As if the file system itself had been taken along: of a mere copy, more may have been published.
  const { ino } = await stat(path, { bigint: true })
  await writeFile(path, JSON.stringify({ ...note, inode: String(ino) }))
  return dir
}

test("a journal of the first format is read whole, and goes on", async () => {
  const dir = await restore()
  const clock = new FakeClock(Date.UTC(2026, 10, 2))
  const journal = await openTestJournal({ dir, clock, bootId: "boot-3" })
  expect([journal.epoch, journal.opens, journal.head("rx")]).toEqual([last, 2, { offset: 5_000, mark: 1 }])
  const all = ["0-90000", "gap ?", "0-5000"]
  const { runs, reasons } = await readThrough(journal, { pageBytes: () => 7_000 })
  expect([runs, reasons]).toEqual([all, ["unplugged", "unplugged"]])
  expect((await readThrough(journal, { stream: "tx" })).runs).toEqual(["0-12", "gap ?", "0-12"])
  expect(journal.writes.map(({ id, outcome }) => [id, outcome?.kind])).toContainEqual([
    "write-2-2",
    "drained",
  ])
  const page = await journal.page("rx", cursorOf(cut, 61_500), 100)
  expect(page).toMatchObject({ gap: null, first: formatCursor({ epoch: cut, offset: 61_500, mark: 0 }) })

  journal.append("rx", countingBytes(5_000, 3_000))
  await journal.close()
  const next = await openTestJournal({ dir, clock, bootId: "boot-4" })
  expect([next.epoch, (await readThrough(next)).runs]).toEqual([last, ["0-90000", "gap ?", "0-8000"]])
})

test("one that was not closed, of a system that still runs, goes on too", async () => {
  const dir = await restore()
  const path = join(dir, "journal.json")
  const note = JSON.parse(await readFile(path, "utf8")) as object
  await writeFile(path, JSON.stringify({ ...note, isClean: false }))
  const journal = await openTestJournal({ dir, bootId: "boot-2" })
  expect([journal.epoch, (await readThrough(journal)).runs]).toEqual([last, ["0-90000", "gap ?", "0-5000"]])
})
