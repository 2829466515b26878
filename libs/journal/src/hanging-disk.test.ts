import { existsSync } from "node:fs"
import { readdir, readFile, readlink } from "node:fs/promises"
import { join } from "node:path"
import { createDeferred } from "@serialcast/primitives"
import { countingBytes, eventually, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { createFiles, type Files } from "./disk/files.ts"
import { append, createFolder, openTestJournal, readThrough } from "./testing/test-journal.ts"

const mebibyte = 1024 * 1024

/** A disk of which one kind of call does not come back while it hangs. */
function createHangingFiles(call: "open" | "write" | "list") {
  const system = createFiles()
  const work = system[call] as (...args: unknown[]) => Promise<unknown>
  let released = createDeferred<void>()
  let isHanging = false
  /** Calls that do not come back now. */
  const held: unknown[][] = []
  const hangingCall = async (...args: unknown[]) => {
    if (isHanging) {
      held.push(args)
      await released.promise
    }
    return await work(...args)
  }
  const files: Files = { ...system, [call]: hangingCall }
  return {
    files,
    held,
    hang() {
      isHanging = true
      released = createDeferred()
    },
    release() {
      isHanging = false
      held.length = 0
      released.resolve()
    },
  }
}

const openFilesIn = async (dir: string) => {
  const fds = await readdir("/proc/self/fd")
  const links = await Promise.all(fds.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")))
  return links.filter((link) => link.startsWith(dir)).length
}

const isNoted = (dir: string) => existsSync(join(dir, "journal.json"))

test.each(["open", "write"] as const)(
  "a disk that hangs in %s holds up nobody: beyond 16 MiB bytes are shown, and are a hole",
  async (call) => {
    const dir = await createFolder()
    const disk = createHangingFiles(call)
    const journal = await openTestJournal({ dir, files: disk.files })
    await append(journal, 1_000)
    await journal.flushed()
    disk.hang()
    const sent = 24 * mebibyte
    for (let at = 1_000; at < sent; at += 60_000) {
      journal.append("rx", countingBytes(at, Math.min(60_000, sent - at)))
      // Room for the writes that do not hang: files are opened for each segment only.
      if (journal.head("rx").offset < 2 * mebibyte && call === "open") await journal.settled()
    }
    expect(journal.head("rx").offset).toBeGreaterThan(15 * mebibyte)
    await eventually(() => expect(isNoted(dir)).toBe(false))
    disk.release()
    await journal.settled()
    await eventually(() => expect(isNoted(dir)).toBe(true))
    const next = await openTestJournal({ dir })
    expect([next.epoch, next.head("rx").offset]).toEqual([journal.epoch, sent])
    const gaps = (await readThrough(next)).runs.filter((run) => run.startsWith("gap"))
    expect(gaps).toEqual([`gap ${journal.counts.unkeptBytes}`])
  },
)

test("what a hanging disk holds up is shown after two seconds at most, and kept when the disk goes on", async () => {
  const dir = await createFolder()
  const clock = new FakeClock()
  const disk = createHangingFiles("write")
  const journal = await openTestJournal({ dir, clock, files: disk.files })
  await append(journal, 1_000)
  await journal.flushed()
  disk.hang()
  journal.append("rx", countingBytes(1_000, 100))
  await eventually(() => expect(disk.held).toHaveLength(1))
  await clock.advanceAsync(700)
  expect([journal.head("rx").offset, isNoted(dir)]).toEqual([1_000, true])
  await clock.advanceAsync(200)
  // Before anything is shown that the disk does not have, the note goes.
  await eventually(() => expect(journal.head("rx").offset).toBe(1_100))
  expect(isNoted(dir)).toBe(false)
  journal.append("rx", countingBytes(1_100, 100))
  expect(journal.head("rx").offset).toBe(1_200)
  expect((await readThrough(journal)).runs).toEqual(["0-1200"])
  disk.release()
  await eventually(() => expect(isNoted(dir)).toBe(true))
  expect(journal.counts.unkeptBytes).toBe(0)
  const next = await openTestJournal({ dir })
  expect([next.epoch, (await readThrough(next)).runs]).toEqual([journal.epoch, ["0-1200"]])
})

test("no more is shown ahead of a hanging disk than memory has for those who read", async () => {
  const clock = new FakeClock()
  const disk = createHangingFiles("write")
  const journal = await openTestJournal({ dir: await createFolder(), clock, files: disk.files })
  disk.hang()
  for (let at = 0; at < 3 * mebibyte; at += 60_000) {
    journal.append("rx", countingBytes(at, Math.min(60_000, 3 * mebibyte - at)))
    if (at === 0) await clock.advanceAsync(5_000)
  }
  expect(journal.head("rx").offset).toBeGreaterThan(0)
  expect((await readThrough(journal)).runs).toEqual([`0-${journal.head("rx").offset}`])
  disk.release()
  await journal.settled()
  expect((await readThrough(journal)).runs).toEqual([`0-${3 * mebibyte}`])
})

test("a journal whose disk hangs at the opening begins anew, and is kept when the disk goes on", async () => {
  const dir = await createFolder()
  const before = await openTestJournal({ dir })
  await append(before, 1_000)
  await before.close()
  const clock = new FakeClock()
  const disk = createHangingFiles("open")
  disk.hang()
  const opening = openTestJournal({ dir, clock, files: disk.files, createEpoch: () => "00000000000000ff" })
  await eventually(() => expect(disk.held).toHaveLength(1))
  await clock.advanceAsync(5_000)
  const journal = await opening
  expect(journal.health.problem).toMatchObject({ message: expect.stringContaining("cannot be reached now") })
  journal.append("rx", countingBytes(0, 100))
  await clock.advanceAsync(1_800)
  expect([journal.epoch, journal.head("rx").offset]).toEqual(["00000000000000ff", 100])
  disk.release()
  await eventually(async () => {
    await clock.advanceAsync(1_000)
    expect(journal.health.problem).toBeNull()
  })
  // All that was kept before is there again, in front of what came in meanwhile.
  expect((await readThrough(journal)).runs).toEqual(["0-1000", "gap ?", "0-100"])
  await journal.flushed()
  // Both files of rx, and those that were read; none of those that the late look at the disk opened.
  await eventually(async () => expect(await openFilesIn(dir)).toBeLessThanOrEqual(6))
  await journal.close()
  const next = await openTestJournal({ dir })
  expect([next.epoch, (await readThrough(next)).runs]).toEqual([
    "00000000000000ff",
    ["0-1000", "gap ?", "0-100"],
  ])
})

test("closing leaves the files of a hanging disk to it: no descriptor is closed under a call", async () => {
  const clock = new FakeClock()
  const disk = createHangingFiles("write")
  const closed: number[] = []
  const close = async (file: number) => {
    closed.push(file)
    await disk.files.close(file)
  }
  const dir = await createFolder()
  const journal = await openTestJournal({ dir, clock, files: { ...disk.files, close } })
  disk.hang()
  journal.append("rx", countingBytes(0, 10))
  await eventually(() => expect(disk.held).toHaveLength(1))
  const [[file] = []] = disk.held
  // Until all that waits is shown: nothing is left that keeps the journal from closing, but the call.
  while (journal.head("rx").offset === 0) journal.append("rx", new Uint8Array(60_000))
  const closing = journal.close()
  await clock.advanceAsync(2_000)
  await closing
  expect(closed).not.toContain(file)
  disk.release()
  await eventually(() => expect(closed).toContain(file))
  // Late, but in order.
  await eventually(async () =>
    expect(await readFile(join(dir, "journal.json"), "utf8")).toMatch(/"isClean":true/),
  )
})
