import { execFile } from "node:child_process"
import { readdir, readFile, readlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { formatCursor, type StartPoint } from "@serialcast/contract"
import { countingBytes, eventually, FakeClock } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { createFiles, type Files } from "./disk/files.ts"
import type { DiskJournal } from "./disk-journal.ts"
import type { Journal } from "./journal.ts"
import {
  append,
  countEpochs,
  createFailingFiles,
  createFolder,
  cursorOf,
  openTestJournal,
  readThrough,
  sizeOfFolder,
} from "./testing/test-journal.ts"

const mebibyte = 1024 * 1024

/** The system's files, and when nothing is done with them: time may then go on. */
function createWatchedFiles() {
  let calls = 0
  const watch =
    (work: (...args: unknown[]) => Promise<unknown>) =>
    async (...args: unknown[]) => {
      calls++
      try {
        return await work(...args)
      } finally {
        calls--
      }
    }
  const system = Object.entries(createFiles()) as [string, () => Promise<unknown>][]
  // The same functions, watched.
  const files = Object.fromEntries(system.map(([name, work]) => [name, watch(work)])) as unknown as Files
  const untilQuiet = async () => {
    for (let quiet = 0; quiet < 10; quiet = calls === 0 ? quiet + 1 : 0) await new Promise(setImmediate)
  }
  return { files, untilQuiet }
}

describe("retention", () => {
  test("keeps both streams, all epochs and their indexes within the limit, at any time", async () => {
    const dir = await createFolder()
    const createEpoch = countEpochs()
    for (const bootId of ["boot-1", "boot-2", "boot-3"]) {
      const journal = await openTestJournal({ dir, maxBytes: mebibyte, bootId, createEpoch })
      for (let step = 0; step < 40; step++) {
        await append(journal, 50_000)
        journal.append("tx", new Uint8Array(3_000))
        journal.mark("tx", { kind: "closed", reason: "test".repeat(10) })
        await journal.settled()
        expect(await sizeOfFolder(dir)).toBeLessThanOrEqual(mebibyte + 4096)
      }
    }
    expect(await sizeOfFolder(dir)).toBeGreaterThan(mebibyte / 2)
  })

  test("drops the oldest, which is a gap of its exact size", async () => {
    const journal = await openTestJournal({ dir: await createFolder(), maxBytes: mebibyte })
    // More than the ring in memory has.
    await append(journal, 4 * mebibyte)
    const { oldest, head } = journal.extent("rx")
    expect([head, oldest > 2 * mebibyte]).toEqual([4 * mebibyte, true])
    const { gap, first } = await journal.page("rx", cursorOf(journal.epoch, 100), 10)
    const to = formatCursor({ epoch: journal.epoch, offset: oldest, mark: 0 })
    expect(first).toBe(to)
    expect(gap).toEqual({ from: `${journal.epoch}-100`, to, bytes: oldest - 100, reason: "evicted" })
    expect((await readThrough(journal)).runs).toEqual([`${oldest}-${head}`])
  })

  test("drops what is older than the age limit, but never the head", async () => {
    const dir = await createFolder()
    const clock = new FakeClock()
    const disk = createWatchedFiles()
    const open = () => openTestJournal({ dir, clock, files: disk.files, maxAgeMs: 4 * 3_600_000 })
    const journal = await open()
    const pass = async (hours: number) => {
      for (let hour = 0; hour < hours; hour++) {
        await clock.advanceAsync(3_600_000)
        await disk.untilQuiet()
      }
    }
    await append(journal, 1_000)
    await pass(2)
    await append(journal, 1_000)
    await pass(1)
    expect(journal.health.bytes).toBeGreaterThan(2_000)
    await pass(3)
    expect(journal.health.bytes).toBeGreaterThan(1_000)
    expect(journal.health.bytes).toBeLessThan(1_800)
    await pass(2)
    expect(journal.health.bytes).toBeLessThan(800)
    await journal.close()
    const next = await open()
    expect([next.epoch, next.head("rx")]).toEqual([journal.epoch, { offset: 2_000, mark: 0 }])
    const page = await next.page("rx", cursorOf(next.epoch, 0), 10)
    expect(page.gap).toMatchObject({ bytes: 2_000 })
  })
})

describe("damage in an older segment", () => {
  /** Four segments and more, and a byte in the first one's file that is another. */
  async function damaged(kind: "bytes" | "index", at: number): Promise<Journal> {
    const dir = await createFolder()
    const before = await openTestJournal({ dir, maxBytes: mebibyte })
    await append(before, 250_000)
    await before.close()
    const file = join(dir, before.epoch, `rx-0000000000000000.${kind}`)
    const bytes = await readFile(file)
    bytes[at]! ^= 1
    await writeFile(file, bytes)
    return await openTestJournal({ dir, maxBytes: mebibyte })
  }

  test("costs the chunk that it is in", async () => {
    const { runs } = await readThrough(await damaged("bytes", 20_000), { pageBytes: () => 1_000 })
    expect(runs).toEqual(["0-16384", "gap 16384", "32768-250000"])
  })

  test("in the index costs the rest of the segment", async () => {
    const { runs } = await readThrough(await damaged("index", 200), { pageBytes: () => 1_000 })
    expect(runs).toEqual([
      expect.stringMatching(/^0-/),
      expect.stringMatching(/^gap \d+$/),
      expect.stringMatching(/-250000$/),
    ])
  })
})

describe("earlier epochs", () => {
  async function threeEpochs(): Promise<DiskJournal> {
    const dir = await createFolder()
    const clock = new FakeClock()
    const createEpoch = countEpochs()
    let journal = await openTestJournal({ dir, clock, createEpoch })
    for (const bootId of ["boot-2", "boot-3"]) {
      await append(journal, 100_000)
      clock.advance(60_000)
      journal = await openTestJournal({ dir, clock, createEpoch, bootId })
    }
    await append(journal, 50)
    return journal
  }

  test("stay readable, each with a gap of unknown size behind it", async () => {
    const journal = await threeEpochs()
    const { runs } = await readThrough(journal, { pageBytes: () => 7_000 })
    expect(runs).toEqual(["0-100000", "gap ?", "0-100000", "gap ?", "0-50"])
    expect(journal.extent("rx")).toEqual({ oldest: 0, head: 50 })
  })

  test("end where the next one starts: the page has the gap and goes on with its first record", async () => {
    const journal = await threeEpochs()
    const [first, second] = ["0000000000000001", "0000000000000002"]
    const page = await journal.page("rx", cursorOf(first, 100_000), 10)
    const gap = { from: `${first}-100000`, to: `${second}-0`, bytes: null, reason: "evicted" }
    expect(page).toMatchObject({ gap, first: `${second}-0`, next: `${second}-10` })
    expect(page.head).toBe("0000000000000003-50")
    const beyond = await journal.page("rx", cursorOf(first, 999_999), 10)
    expect(beyond.gap).toMatchObject({ to: `${second}-0`, bytes: null })
  })

  test("are looked through for a time, but not for the last bytes", async () => {
    const journal = await threeEpochs()
    const startMs = new FakeClock().nowMs()
    const firstOf = async (from: StartPoint) => (await journal.page("rx", from, 10)).first
    expect(await firstOf({ kind: "time", timeUs: startMs * 1_000 })).toBe("0000000000000001-0")
    expect(await firstOf({ kind: "time", timeUs: (startMs + 1) * 1_000 })).toBe("0000000000000002-0")
    expect(await firstOf({ kind: "time", timeUs: (startMs + 60_001) * 1_000 })).toBe("0000000000000003-0")
    expect(await firstOf({ kind: "last", bytes: 1_000 })).toBe("0000000000000003-0")
  })
})

test("files are synced at most once in a while, and only when something was written", async () => {
  const clock = new FakeClock()
  const files = createFailingFiles()
  const journal = await openTestJournal({ dir: await createFolder(), clock, files, syncMs: 5_000 })
  await append(journal, 100)
  await clock.advanceAsync(5_000)
  // The bytes, and their index.
  await eventually(() => expect(files.syncs).toBe(2))
  await clock.advanceAsync(60_000)
  for (let count = 0; count < 10; count++) await append(journal, 10)
  await clock.advanceAsync(5_000)
  await eventually(() => expect(files.syncs).toBe(4))
  await journal.close()
  // The note.
  expect(files.syncs).toBe(5)
})

test("a reader that falls behind the ring and catches up again misses nothing while bytes come in", async () => {
  const journal = await openTestJournal({ dir: await createFolder() })
  const total = 24 * mebibyte
  const appending = append(journal, total)
  let read = 0
  while (read < total) {
    const { runs } = await readThrough(journal, { from: cursorOf(journal.epoch, read) })
    expect(runs.length).toBeLessThanOrEqual(1)
    read = Number(runs[0]?.split("-")[1] ?? read)
    // Every now and then it is some segments behind.
    await Promise.race([appending, journal.news.rx.wait()])
    while (journal.head("rx").offset < Math.min(total, read + 6 * mebibyte)) await journal.news.rx.wait()
  }
  await appending
}, 30_000)

test("too many pages at once are refused as overloaded, and the others are answered", async () => {
  const dir = await createFolder()
  const before = await openTestJournal({ dir })
  await append(before, 10_000)
  await before.close()
  const journal = await openTestJournal({ dir })
  const pages = Array.from({ length: 1_100 }, () => journal.page("rx", { kind: "start" }, 100))
  const outcomes = await Promise.allSettled(pages)
  const refused = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []))
  expect(refused).toHaveLength(97)
  expect(refused[0]).toMatchObject({ code: "overloaded" })
})

test("pages of one segment at the same time share its open files", async () => {
  const dir = await createFolder()
  const before = await openTestJournal({ dir })
  await append(before, 100_000)
  await before.close()
  const files = createFiles()
  const opened: string[] = []
  const open: typeof files.open = (path, flags) => {
    if (flags === "r") opened.push(path)
    return files.open(path, flags)
  }
  const journal = await openTestJournal({ dir, files: { ...files, open } })
  opened.length = 0
  for (let round = 0; round < 3; round++)
    await Promise.all([0, 1, 2].map((n) => journal.page("rx", cursorOf(journal.epoch, n * 1_000), 100)))
  // Both files once, if they were not open before.
  expect(opened.length).toBeLessThanOrEqual(2)
})

test("no file stays open: not of segments that are full, dropped or read, and none after the close", async () => {
  const dir = await createFolder()
  const openFiles = async () => {
    const links = (await readdir("/proc/self/fd")).map((fd) =>
      readlink(`/proc/self/fd/${fd}`).catch(() => ""),
    )
    return (await Promise.all(links)).filter((link) => link.startsWith(dir)).length
  }
  const journal = await openTestJournal({ dir, maxBytes: mebibyte })
  for (let round = 0; round < 3; round++) {
    await append(journal, 2 * mebibyte)
    await readThrough(journal)
  }
  // Both files of both streams, and of four segments that were read lately.
  await eventually(async () => expect(await openFiles()).toBeLessThanOrEqual(4 + 8))
  await journal.close()
  expect(await openFiles()).toBe(0)
})

test("the data files are the stream", async () => {
  const dir = await createFolder()
  const journal = await openTestJournal({ dir, maxBytes: mebibyte })
  await append(journal, 400_000)
  await journal.close()
  const { stdout } = await promisify(execFile)("sh", ["-c", "cat rx-*.bytes"], {
    cwd: join(dir, journal.epoch),
    encoding: "buffer",
    maxBuffer: mebibyte,
  })
  expect(stdout.equals(countingBytes(0, 400_000))).toBe(true)
})
