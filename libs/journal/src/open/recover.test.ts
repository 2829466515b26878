import {
  appendFile,
  copyFile,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises"
import { join } from "node:path"
import { countingBytes, seededRandom } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import type { DiskJournal } from "../disk-journal.ts"
import { createFolder, openTestJournal, readThrough } from "../testing/test-journal.ts"

const old = "0000000000000001"
const fresh = "00000000000000ff"

/** rx: 100 bytes, a mark, 50 bytes, a mark, 30 bytes, each on disk before the next; then the process is gone. */
async function killedIn(dir: string): Promise<DiskJournal> {
  const journal = await openTestJournal({ dir })
  for (const length of [100, 50, 30]) {
    journal.append("rx", countingBytes(journal.place("rx").offset, length))
    await journal.flushed()
    if (length !== 30) journal.mark("rx", { kind: "closed", reason: `before ${length}` })
  }
  return journal
}

async function reopen(dir: string, bootId: string | null = "boot-1"): Promise<DiskJournal> {
  return await openTestJournal({ dir, bootId, createEpoch: () => fresh })
}

const fileOf = (dir: string, kind: "bytes" | "index") => join(dir, old, `rx-0000000000000000.${kind}`)

describe("a process that was killed", () => {
  test("while it wrote the index costs what it had not shown, wherever the index ends", async () => {
    const before = await createFolder()
    const { size: shownSize } = await (async () => {
      const journal = await openTestJournal({ dir: before })
      journal.append("rx", countingBytes(0, 150))
      await journal.flushed()
      return await stat(fileOf(before, "index"))
    })()
    for (let cut = shownSize; ; cut++) {
      const dir = await createFolder()
      const journal = await openTestJournal({ dir })
      journal.append("rx", countingBytes(0, 150))
      await journal.flushed()
      journal.append("rx", countingBytes(150, 30))
      await journal.flushed()
      const { size } = await stat(fileOf(dir, "index"))
      await truncate(fileOf(dir, "index"), cut)
      const next = await reopen(dir)
      const kept = cut < size ? 150 : 180
      expect([cut, next.epoch, (await readThrough(next)).runs]).toEqual([cut, old, [`0-${kept}`]])
      // What is appended then joins on, and is there for the next process.
      next.append("rx", countingBytes(kept, 200 - kept))
      await next.close()
      const last = await reopen(dir)
      expect([cut, last.epoch, (await readThrough(last)).runs]).toEqual([cut, old, ["0-200"]])
      expect((await readFile(fileOf(dir, "bytes"))).equals(countingBytes(0, 200))).toBe(true)
      await last.close()
      if (cut === size) break
    }
  }, 60_000)

  test.each([
    ["after a kill", false],
    ["after an orderly close", true],
  ])("%s, bytes that the index does not speak of are nobody's, and are cut off", async (_when, isClosed) => {
    const dir = await createFolder()
    const journal = await killedIn(dir)
    if (isClosed) await journal.close()
    await appendFile(fileOf(dir, "bytes"), "not the device's")
    const next = await reopen(dir)
    expect([next.epoch, (await readThrough(next)).runs]).toEqual([old, ["0-180"]])
    next.append("rx", countingBytes(180, 20))
    await next.close()
    expect((await readFile(fileOf(dir, "bytes"))).equals(countingBytes(0, 200))).toBe(true)
  })
})

describe("bytes that were shown and are gone", () => {
  test("end the epoch, and are a gap of their size where the index has their place", async () => {
    for (let cut = -80; cut < 0; cut++) {
      const dir = await createFolder()
      await killedIn(dir)
      await truncate(fileOf(dir, "bytes"), 180 + cut)
      const journal = await reopen(dir)
      journal.append("rx", countingBytes(0, 10))
      await journal.settled()
      const { runs } = await readThrough(journal)
      const kept = cut >= -30 ? ["0-150"] : ["0-100", "gap 50"]
      expect([cut, journal.epoch, runs]).toEqual([cut, fresh, [...kept, "gap ?", "0-10"]])
      await journal.close()
    }
  }, 60_000)

  test("are noticed after an orderly close too", async () => {
    for (const kind of ["bytes", "index"] as const) {
      const dir = await createFolder()
      await (await killedIn(dir)).close()
      const { size } = await stat(fileOf(dir, kind))
      await truncate(fileOf(dir, kind), size - 1)
      const journal = await reopen(dir)
      expect([kind, journal.epoch, (await readThrough(journal)).runs]).toEqual([
        kind,
        fresh,
        ["0-150", "gap ?"],
      ])
    }
  })

  test("a flipped bit ends the epoch, and no wrong byte is ever read", async () => {
    const random = seededRandom()
    for (let round = 0; round < 60; round++) {
      const dir = await createFolder()
      await killedIn(dir)
      const file = fileOf(dir, random.next() < 0.5 ? "bytes" : "index")
      const bytes = await readFile(file)
      const at = Math.floor(random.next() * bytes.byteLength)
      bytes[at]! ^= 1 << Math.floor(random.next() * 8)
      await writeFile(file, bytes)
      const journal = await reopen(dir)
      // Fails for a wrong byte.
      await readThrough(journal)
      expect(journal.epoch, `seed ${random.seed}, round ${round}, ${file} at ${at}`).toBe(fresh)
      await journal.close()
    }
  }, 60_000)
})

describe("the next opening", () => {
  const copyOver = async (path: string) => {
    await copyFile(path, `${path}.copy`)
    await rename(`${path}.copy`, path)
  }
  const nothing = async () => {}
  const close = (_dir: string, journal: DiskJournal) => journal.close()
  test.each<[string, string, (dir: string, journal: DiskJournal) => Promise<void>, string | null]>([
    ["after a close goes on", old, close, "boot-1"],
    ["after a close and a reboot goes on", old, close, "boot-2"],
    ["after a kill goes on", old, nothing, "boot-1"],
    ["after a kill on a system without a boot id is a new epoch", fresh, nothing, null],
    ["after a close on a system without a boot id goes on", old, close, null],
    ["after a power failure is a new epoch", fresh, nothing, "boot-2"],
    ["without the note is a new epoch", fresh, (dir) => rm(join(dir, "journal.json")), "boot-1"],
    [
      "with a note that is not ours is a new epoch",
      fresh,
      (dir) => writeFile(join(dir, "journal.json"), "{"),
      "boot-1",
    ],
    [
      "of a restored copy is a new epoch: more may have been published since it was made",
      fresh,
      async (dir, journal) => {
        await journal.close()
        await copyOver(join(dir, "journal.json"))
      },
      "boot-1",
    ],
    [
      "without a file of the newest segment is a new epoch",
      fresh,
      (dir) => rm(fileOf(dir, "bytes")),
      "boot-1",
    ],
    [
      "without the folder of the epoch is a new epoch",
      fresh,
      (dir) => rm(join(dir, old), { recursive: true }),
      "boot-1",
    ],
  ])("%s", async (_title, epoch, change, bootId) => {
    const dir = await createFolder()
    await change(dir, await killedIn(dir))
    const journal = await reopen(dir, bootId)
    expect(journal.epoch).toBe(epoch)
    expect(journal.head("rx")).toEqual({ offset: epoch === old ? 180 : 0, mark: 0 })
  })

  test("knows how often the port was opened, in a new epoch too", async () => {
    const dir = await createFolder()
    const journal = await openTestJournal({ dir })
    journal.mark("rx", { kind: "opened", open: 7 })
    await journal.flushed()
    const next = await reopen(dir, "boot-2")
    expect([next.epoch, next.opens]).toEqual([fresh, 7])
    await next.close()
    expect((await reopen(dir)).opens).toBe(7)
  })

  test("leaves a segment alone whose header is not readable, and does without it", async () => {
    const dir = await createFolder()
    await (await killedIn(dir)).close()
    await writeFile(fileOf(dir, "index"), "made by a later version")
    const journal = await reopen(dir)
    expect([journal.epoch, (await readThrough(journal)).runs]).toEqual([fresh, []])
    expect((await readdir(join(dir, old))).filter((name) => name.startsWith("rx"))).toHaveLength(2)
  })
})
