import { execFile } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { eventually, FakeClock } from "@serialcast/testkit"
import { describe, expect, onTestFinished, test } from "vitest"
import { createFiles } from "./disk/files.ts"
import {
  append,
  createFailingFiles,
  createFolder,
  cursorOf,
  openTestJournal,
  readThrough,
  shape,
} from "./testing/test-journal.ts"

const mebibyte = 1024 * 1024

describe("a disk that refuses", () => {
  test("costs nobody anything: what came in meanwhile is kept when it takes bytes again", async () => {
    const dir = await createFolder()
    const clock = new FakeClock()
    const files = createFailingFiles()
    const journal = await openTestJournal({ dir, clock, files })
    await append(journal, 1_000)
    files.error = "EIO"
    await append(journal, 500)
    expect(journal.health.problem).toEqual({
      code: "journal_failed",
      message: expect.stringMatching(/^New bytes are not kept: EIO.*Free space on, or repair, the disk/),
    })
    expect(shape((await journal.page("rx", cursorOf(journal.epoch, 1_000), 5_000)).records)).toEqual([
      "1000+500",
    ])
    files.error = null
    await append(journal, 250)
    await clock.advanceAsync(1_000)
    await eventually(() => expect(journal.health.problem).toBeNull())
    await append(journal, 250)
    const next = await openTestJournal({ dir, clock })
    expect([next.epoch, (await readThrough(next)).runs]).toEqual([journal.epoch, ["0-2000"]])
    expect(shape((await next.page("rx", { kind: "last", bytes: 100 }, 500)).records)).toEqual(["1900+100"])
  })

  test.each(["killed", "closed"])(
    "and a process that is %s before it takes bytes again: a new epoch",
    async (end) => {
      const dir = await createFolder()
      const files = createFailingFiles()
      const journal = await openTestJournal({ dir, files })
      await append(journal, 1_000)
      files.error = "EROFS"
      await append(journal, 500)
      if (end === "closed") await journal.close()
      const next = await openTestJournal({ dir, createEpoch: () => "00000000000000ff" })
      expect([next.epoch, (await readThrough(next)).runs]).toEqual(["00000000000000ff", ["0-1000", "gap ?"]])
    },
  )

  test("from the start shows all the same, and is tried again", async () => {
    const dir = join(await createFolder(), "devices", "uno")
    await writeFile(join(dir, "..", "..", "devices"), "in the way")
    const clock = new FakeClock()
    const journal = await openTestJournal({ dir, clock })
    await append(journal, 100)
    expect(journal.health.problem).toMatchObject({ code: "journal_failed" })
    expect((await readThrough(journal)).runs).toEqual(["0-100"])
    await promisify(execFile)("rm", [join(dir, "..")])
    await clock.advanceAsync(1_000)
    await eventually(() => expect(journal.health.problem).toBeNull())
    await append(journal, 100)
    await journal.close()
    expect((await readThrough(await openTestJournal({ dir }))).runs).toEqual(["0-200"])
  })

  test("a full one costs the oldest segments first, and then what comes in", async ({ skip }) => {
    const mount = await createFolder()
    await promisify(execFile)("mount", ["-t", "tmpfs", "-o", "size=1m", "none", mount]).catch(() =>
      skip("only root can mount a small disk"),
    )
    onTestFinished(() => promisify(execFile)("umount", ["-l", mount]).then(() => {}))
    const clock = new FakeClock()
    const journal = await openTestJournal({ dir: join(mount, "uno"), maxBytes: 2 * mebibyte, clock })
    await append(journal, 3 * mebibyte)
    expect(journal.health.problem).toBeNull()
    const { oldest, head } = journal.extent("rx")
    expect(head - oldest).toBeGreaterThan(mebibyte / 2)
    for (const other of ["one", "two", "three"]) {
      // Another program takes all the room that is left, and fails then.
      await promisify(execFile)("dd", ["if=/dev/zero", `of=${join(mount, other)}`, "bs=4k"]).catch(() => {})
      await append(journal, mebibyte)
    }
    expect((await readThrough(journal)).runs.at(-1)).toMatch(new RegExp(`-${6 * mebibyte}$`))
  })

  test("that is full, with nothing left to drop, says so until there is room", async () => {
    const clock = new FakeClock()
    const files = createFailingFiles()
    const journal = await openTestJournal({ dir: await createFolder(), maxBytes: mebibyte, clock, files })
    await append(journal, 500_000)
    files.error = "ENOSPC"
    await append(journal, 100)
    expect(journal.health.problem).toMatchObject({ code: "journal_failed" })
    // The newest segment of each stream stays.
    expect(journal.health.bytes).toBeLessThan(70_000)
    files.error = null
    await clock.advanceAsync(1_000)
    await eventually(() => expect(journal.health.problem).toBeNull())
  })

  test("that does not sync says so until it does, and leaves no note of a clean end", async () => {
    const dir = await createFolder()
    const clock = new FakeClock()
    const files = createFiles()
    let isRefusing = true
    const sync = (file: number) =>
      isRefusing ? Promise.reject(new Error("EIO: it fails")) : files.sync(file)
    const journal = await openTestJournal({ dir, clock, files: { ...files, sync } })
    await append(journal, 100)
    await clock.advanceAsync(1_000)
    const problem = {
      code: "journal_failed",
      message: expect.stringContaining("may not outlive a power failure"),
    }
    await eventually(() => expect(journal.health.problem).toEqual(problem))
    await append(journal, 100)
    await clock.advanceAsync(1_000)
    expect(journal.health.problem).toEqual(problem)
    isRefusing = false
    await append(journal, 100)
    await eventually(async () => {
      await clock.advanceAsync(1_000)
      expect(journal.health.problem).toBeNull()
    })
    await journal.close()
    // What one sync refused, a later one that works need not have put onto the medium (fsync(2)).
    const next = await openTestJournal({ dir, bootId: "boot-2", createEpoch: () => "00000000000000ff" })
    expect([next.epoch, (await readThrough(next)).runs]).toEqual(["00000000000000ff", ["0-300", "gap ?"]])
  })

  test("when a file is closed goes on to keep and to drop", async () => {
    const files = createFiles()
    let isRefusing = false
    const close = async (file: number) => {
      await files.close(file)
      if (isRefusing) throw new Error("EIO: it fails")
    }
    const dir = await createFolder()
    const journal = await openTestJournal({ dir, maxBytes: 2 * mebibyte, files: { ...files, close } })
    await append(journal, 1.8 * mebibyte)
    // Its files stay open for the next reader.
    await journal.page("rx", { kind: "start" }, 10)
    isRefusing = true
    await append(journal, mebibyte)
    isRefusing = false
    await append(journal, 2 * mebibyte)
    expect(journal.health.bytes).toBeLessThanOrEqual(2 * mebibyte)
    expect((await readThrough(journal)).runs).toEqual([
      expect.stringMatching(new RegExp(`-${journal.head("rx").offset}$`)),
    ])
  })
})
