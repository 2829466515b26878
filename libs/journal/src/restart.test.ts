import { appendFile, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { countingBytes, eventually, FakeClock } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { createFiles, type Files } from "./disk/files.ts"
import {
  append,
  createFolder,
  cursorOf,
  openTestJournal,
  readThrough,
  sizeOfFolder,
} from "./testing/test-journal.ts"

const mebibyte = 1024 * 1024
const fresh = () => "00000000000000ff"

/** Files of which some reads fail, as a medium does that has bad places. */
function createBadFiles(isBad: (path: string, position: number, length: number) => boolean): Files {
  const files = createFiles()
  const paths = new Map<number, string>()
  return {
    ...files,
    async open(path, flags) {
      const file = await files.open(path, flags)
      paths.set(file, path)
      return file
    },
    async read(file, into, position) {
      if (isBad(paths.get(file) ?? "", position, into.byteLength))
        throw Object.assign(new Error("EIO: i/o error, read"), { code: "EIO" })
      return await files.read(file, into, position)
    },
  }
}

describe("a medium with bad places", () => {
  test("under the start of an old segment's index costs what cannot be told without it, at every start", async () => {
    const dir = await createFolder()
    const options = { dir, maxBytes: 4 * mebibyte }
    const before = await openTestJournal(options)
    await append(before, 1_500_000)
    await before.close()
    const names = (await readdir(join(dir, before.epoch))).filter((name) => /^rx.*index$/.test(name)).sort()
    const bad = names[2] ?? ""
    const files = createBadFiles((path, position) => path.endsWith(bad) && position < 4_096)
    let head = 1_500_000
    for (let start = 0; start < 7; start++) {
      const journal = await openTestJournal({ ...options, files })
      expect(journal.epoch).toBe(before.epoch)
      const { runs } = await readThrough(journal)
      expect(runs).toEqual([
        expect.stringMatching(/^0-/),
        expect.stringMatching(/^gap \d+$/),
        expect.stringMatching(new RegExp(`-${head}$`)),
      ])
      expect(journal.health.problem?.message).toMatch(/^A part of what was kept cannot be read/)
      expect(journal.counts.unreadableSegments).toBe(1)
      await append(journal, 1_000)
      head += 1_000
      await journal.close()
    }
    expect(await sizeOfFolder(dir)).toBeLessThan(2 * mebibyte)
  })

  test("under bytes costs the chunk that is there, and nothing beside it", async () => {
    const dir = await createFolder()
    const before = await openTestJournal({ dir })
    for (let at = 0; at < 100_000; at += 500) before.append("rx", countingBytes(at, 500))
    await before.close()
    const isUnder = (position: number, length: number) => position < 53_248 && position + length > 49_152
    const files = createBadFiles(
      (path, position, length) => path.endsWith(".bytes") && isUnder(position, length),
    )
    const journal = await openTestJournal({ dir, files })
    const { runs } = await readThrough(journal, { pageBytes: () => 7_000 })
    expect(runs).toEqual(["0-49000", "gap 4500", "53500-100000"])
  })

  test("under all of a segment is a gap of its exact size", async () => {
    const dir = await createFolder()
    const before = await openTestJournal({ dir, maxBytes: mebibyte })
    await append(before, 250_000)
    await before.close()
    const names = (await readdir(join(dir, before.epoch))).filter((name) => /^rx.*bytes$/.test(name)).sort()
    const files = createFiles()
    const open: Files["open"] = (path, flags) =>
      path.includes((names[1] ?? "").slice(0, 19)) && flags === "r"
        ? Promise.reject(Object.assign(new Error("EIO"), { code: "EIO" }))
        : files.open(path, flags)
    const journal = await openTestJournal({ dir, maxBytes: mebibyte, files: { ...files, open } })
    const [from, to] = [1, 2].map((at) => Number(names[at]?.slice(3, 19)))
    const { runs } = await readThrough(journal)
    expect([journal.epoch, runs]).toEqual([before.epoch, [`0-${from}`, `gap ${to! - from!}`, `${to}-250000`]])
  })

  test("under a folder's names leaves the device a journal, and what was kept comes back with them", async () => {
    const dir = await createFolder()
    const before = await openTestJournal({ dir })
    await append(before, 1_000)
    await before.close()
    let isBad = true
    const files = createFiles()
    const list: Files["list"] = (path) =>
      isBad ? Promise.reject(Object.assign(new Error("EIO"), { code: "EIO" })) : files.list(path)
    const clock = new FakeClock(1_000)
    const journal = await openTestJournal({ dir, clock, files: { ...files, list }, createEpoch: fresh })
    await append(journal, 50)
    expect(journal.health.problem?.message).toMatch(/^What was kept before cannot be reached now/)
    isBad = false
    await eventually(async () => {
      await clock.advanceAsync(1_000)
      expect(journal.health.problem).toBeNull()
    })
    expect((await readThrough(journal)).runs).toEqual(["0-1000", "gap ?", "0-50"])
  })
})

/** Files of which every operation takes so long, by the test's clock; `pass` lets that go on until `work` is done. */
function createSlowFiles(clock: FakeClock, delayMs: number) {
  let operations = 0
  let underway = 0
  const slow =
    (work: (...args: unknown[]) => Promise<unknown>) =>
    async (...args: unknown[]) => {
      operations++
      await new Promise<void>((resolve) => clock.startTimer(delayMs, resolve))
      underway++
      return await work(...args).finally(() => underway--)
    }
  const system = Object.entries(createFiles()) as [string, () => Promise<unknown>][]
  // The same functions, later.
  const files = Object.fromEntries(system.map(([name, work]) => [name, slow(work)])) as unknown as Files
  const pass = async <T>(work: Promise<T>): Promise<T> => {
    let isDone = false
    const done = work.finally(() => (isDone = true))
    done.catch(() => {})
    // The disk itself takes no time of that clock.
    while (!isDone) {
      await new Promise(setImmediate)
      if (underway === 0) clock.advance(delayMs / 3)
    }
    return await done
  }
  return { files, pass, operations: () => operations }
}

test("a disk that takes a second for each operation costs an opening time, and nothing else", async () => {
  const dir = await createFolder()
  const before = await openTestJournal({ dir, maxBytes: 2 * mebibyte })
  await append(before, 1_500_000)
  await before.close()
  const clock = new FakeClock(1_000)
  const { files, pass, operations } = createSlowFiles(clock, 1_000)
  const journal = await pass(
    openTestJournal({ dir, maxBytes: 2 * mebibyte, clock, files, createEpoch: fresh }),
  )
  expect(journal.epoch).toBe(before.epoch)
  // It does not grow with what is kept.
  expect(operations()).toBeLessThan(40)
  expect((await pass(readThrough(journal))).runs).toEqual(["0-1500000"])
  await pass(journal.close())
})

test("an opening looks at the newest segments alone, however much is kept", async () => {
  const operationsFor = async (bytes: number) => {
    const dir = await createFolder()
    const before = await openTestJournal({ dir, maxBytes: 8 * mebibyte })
    await append(before, bytes)
    await before.close()
    const files = createFiles()
    let readBytes = 0
    const read: Files["read"] = async (file, into, position) => {
      const got = await files.read(file, into, position)
      readBytes += got
      return got
    }
    await openTestJournal({ dir, maxBytes: 8 * mebibyte, files: { ...files, read } })
    return readBytes
  }
  const [little, much] = [await operationsFor(100_000), await operationsFor(5 * mebibyte)]
  expect(much).toBeLessThanOrEqual(little + 1_000)
})

test("an opening that is given up writes nothing, however late the disk answers", async () => {
  const dir = await createFolder()
  const killed = await openTestJournal({ dir })
  killed.append("rx", countingBytes(0, 1_000))
  await killed.flushed()
  const clock = new FakeClock(1_000)
  const files = createFiles()
  const late: (() => void)[] = []
  const written: string[] = []
  const list: Files["list"] = async (path) => {
    await new Promise<void>((resolve) => late.push(resolve))
    return await files.list(path)
  }
  const watched: Files = {
    ...files,
    list,
    truncate: (file, size) => {
      written.push(`truncate ${size}`)
      return files.truncate(file, size)
    },
    remove: (path) => {
      written.push(`remove ${path}`)
      return files.remove(path)
    },
  }
  const opening = openTestJournal({ dir, clock, files: watched, createEpoch: fresh })
  await eventually(() => expect(late).toHaveLength(1))
  await clock.advanceAsync(5_000)
  const journal = await opening
  await append(journal, 500)
  for (const answer of late.splice(0)) answer()
  await journal.flushed()
  expect(written).toEqual([])
  expect((await readThrough(journal)).runs).toEqual(["0-500"])
})

describe("what belongs to nobody", () => {
  test("the bytes of a segment whose deletion a kill cut short are deleted at the next start", async () => {
    const dir = await createFolder()
    const before = await openTestJournal({ dir, maxBytes: mebibyte })
    await append(before, 250_000)
    await before.close()
    const first = join(dir, before.epoch, "rx-0000000000000000")
    await rm(`${first}.index`)
    const journal = await openTestJournal({ dir, maxBytes: mebibyte })
    await eventually(async () => expect(await stat(`${first}.bytes`).catch(() => null)).toBeNull())
    const { oldest } = journal.extent("rx")
    expect(oldest).toBeGreaterThan(0)
    expect((await readThrough(journal)).runs).toEqual([`${oldest}-250000`])
    expect(journal.health.problem).toBeNull()
  })

  test("files of others in the folder count, and stay", async () => {
    const dir = await createFolder()
    const before = await openTestJournal({ dir, maxBytes: 2 * mebibyte })
    await append(before, 1_300_000)
    await before.close()
    await writeFile(join(dir, "notes.txt"), new Uint8Array(700_000))
    const journal = await openTestJournal({ dir, maxBytes: 2 * mebibyte })
    await append(journal, 300_000)
    expect(await sizeOfFolder(dir)).toBeLessThan(2 * mebibyte + 70_000)
    expect((await stat(join(dir, "notes.txt"))).size).toBe(700_000)
  })
})

describe("a file system that numbers its files anew at each mount", () => {
  const renumber = async (dir: string, born: (note: { born: string }) => string) => {
    const path = join(dir, "journal.json")
    const note = JSON.parse(await readFile(path, "utf8")) as { born: string }
    // In place: the file stays the one that it is.
    await writeFile(path, JSON.stringify({ ...note, inode: "1", born: born(note) }))
  }

  test("goes on, because its note is as old as it says", async () => {
    const dir = await createFolder()
    const before = await openTestJournal({ dir })
    await append(before, 1_000)
    await before.close()
    await renumber(dir, ({ born }) => born)
    expect((await openTestJournal({ dir, createEpoch: fresh })).epoch).toBe(before.epoch)
  })

  test("a copy is younger than its note says", async () => {
    const dir = await createFolder()
    const before = await openTestJournal({ dir })
    await append(before, 1_000)
    await before.close()
    await renumber(dir, ({ born }) => `${BigInt(born) - 1n}`)
    expect((await openTestJournal({ dir, createEpoch: fresh })).epoch).toBe(fresh())
  })
})

test("a disk that does not let go of its clean note begins a new epoch: places would be given away twice", async () => {
  const dir = await createFolder()
  const before = await openTestJournal({ dir })
  await append(before, 1_000)
  await before.close()
  const files = createFiles()
  const refuse = () => Promise.reject(Object.assign(new Error("EROFS"), { code: "EROFS" }))
  const readOnly: Files = {
    ...files,
    open: (path, flags) => (flags === "r" ? files.open(path, flags) : refuse()),
    remove: refuse,
    rename: refuse,
    makeFolder: refuse,
  }
  const journal = await openTestJournal({ dir, files: readOnly, createEpoch: fresh })
  expect(journal.epoch).toBe(fresh())
  await append(journal, 500)
  expect((await readThrough(journal)).runs).toEqual(["0-1000", "gap ?", "0-500"])
  // After a reboot the disk works again: what was shown of the other epoch is not taken for this one's.
  const next = await openTestJournal({ dir, bootId: "boot-2" })
  expect([next.epoch, next.head("rx").offset]).toEqual([before.epoch, 1_000])
})

test("a mark that nobody can read any more is told as one of another kind", async () => {
  const dir = await createFolder()
  const before = await openTestJournal({ dir })
  before.append("rx", countingBytes(0, 10))
  // As a later version might.
  before.mark("rx", { kind: "closed", reason: 7 } as never)
  before.append("rx", countingBytes(10, 10))
  await before.close()
  const journal = await openTestJournal({ dir })
  expect(journal.epoch).toBe(before.epoch)
  const { records } = await journal.page("rx", cursorOf(journal.epoch, 0), 1_000)
  expect(records[1]).toMatchObject({ mark: { n: 0, kind: "other", name: "closed" } })
  expect((await readThrough(journal)).runs).toEqual(["0-20"])
})

test("a segment that is taken away in the middle is a gap of its size, and the rest stays", async () => {
  const dir = await createFolder()
  const before = await openTestJournal({ dir, maxBytes: mebibyte })
  await append(before, 250_000)
  await before.close()
  const names = (await readdir(join(dir, before.epoch))).filter((name) => name.startsWith("rx")).sort()
  const [gone, next] = [names[2]?.slice(0, 19), names[4]?.slice(0, 19)]
  for (const name of names.filter((name) => name.startsWith(gone ?? "")))
    await rm(join(dir, before.epoch, name))
  const journal = await openTestJournal({ dir, maxBytes: mebibyte })
  const [from, to] = [gone, next].map((name) => Number(name?.slice(3)))
  expect((await readThrough(journal)).runs).toEqual([`0-${from}`, `gap ${to! - from!}`, `${to}-250000`])
})

test("bytes that somebody puts behind an old segment are not the device's", async () => {
  const dir = await createFolder()
  const before = await openTestJournal({ dir, maxBytes: mebibyte })
  await append(before, 250_000)
  await before.close()
  await appendFile(join(dir, before.epoch, "rx-0000000000000000.bytes"), "nobody's")
  const journal = await openTestJournal({ dir, maxBytes: mebibyte })
  expect((await readThrough(journal)).runs).toEqual(["0-250000"])
})

test("the folder of a journal can be moved to another name, with its note", async () => {
  const parent = await createFolder()
  const [from, to] = [join(parent, "a"), join(parent, "b")]
  const before = await openTestJournal({ dir: from })
  await append(before, 1_000)
  await before.close()
  await rename(from, to)
  expect((await openTestJournal({ dir: to, createEpoch: fresh })).epoch).toBe(before.epoch)
})
