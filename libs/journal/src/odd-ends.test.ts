import { readdir, readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { isMarkRecord } from "@serialcast/contract"
import { systemClock } from "@serialcast/primitives"
import { countingBytes, eventually, FakeClock } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { createFiles, type Files } from "./disk/files.ts"
import {
  append,
  createFolder,
  openTestJournal,
  readThrough,
  shape,
  sizeOfFolder,
} from "./testing/test-journal.ts"

const mebibyte = 1024 * 1024
const hourMs = 3_600_000
const fresh = () => "00000000000000ff"

async function createPlace() {
  const folder = await createFolder()
  return { dir: join(folder, "uno"), stage: join(folder, "stage") }
}

const refusal = (code: string) => Promise.reject(Object.assign(new Error(`${code}: it fails`), { code }))

const segmentsIn = async (folder: string) =>
  (await readdir(folder)).filter((name) => /^rx.*index$/.test(name)).sort()

describe("a process that is killed, with a stage", () => {
  test("between marks that are on disk and the bytes behind them keeps both", async () => {
    const place = await createPlace()
    const killed = await openTestJournal(place)
    killed.mark("rx", { kind: "opened", open: 1 })
    await killed.flushed()
    killed.append("rx", countingBytes(0, 100))
    const next = await openTestJournal({ ...place, createEpoch: fresh })
    await next.flushed()
    expect(shape((await next.page("rx", { kind: "start" }, 10_000)).records)).toEqual(["0.0", "0+100"])
    await next.close()
    const last = await openTestJournal({ ...place, createEpoch: fresh })
    expect(last.epoch).toBe(killed.epoch)
    expect(shape((await last.page("rx", { kind: "start" }, 10_000)).records)).toEqual(["0.0", "0+100"])
  })

  test("after age began a segment that nothing came to goes on, and nothing is hidden by it", async () => {
    const place = await createPlace()
    const clock = new FakeClock(Date.UTC(2026, 0, 1))
    const options = { ...place, clock, maxAgeMs: 16 * hourMs }
    const killed = await openTestJournal(options)
    await append(killed, 1_000)
    await killed.flushed()
    await clock.advanceAsync(3 * hourMs)
    await eventually(async () => expect(await segmentsIn(join(place.dir, killed.epoch))).toHaveLength(2))
    await killed.flushed()
    const next = await openTestJournal({ ...options, createEpoch: fresh })
    await append(next, 999_000)
    await next.flushed()
    expect((await readThrough(next)).runs).toEqual(["0-1000000"])
    await next.close()
    const last = await openTestJournal({ ...options, createEpoch: fresh })
    expect([last.epoch, (await readThrough(last)).runs]).toEqual([killed.epoch, ["0-1000000"]])
  })

  test("right after it began goes on where the files end", async () => {
    const place = await createPlace()
    const before = await openTestJournal(place)
    await append(before, 1_000)
    await before.close()
    await openTestJournal(place)
    const next = await openTestJournal({ ...place, createEpoch: fresh })
    expect([next.epoch, next.head("rx").offset]).toEqual([before.epoch, 1_000])
  })

  test("an old stage touches nothing of an epoch that an agent without a stage began since", async () => {
    const { dir, stage } = await createPlace()
    const clock = new FakeClock(1_000)
    const first = await openTestJournal({ dir, stage, clock, createEpoch: () => "00000000000000a1" })
    await append(first, 1_000)
    await first.flushed()
    first.append("rx", countingBytes(1_000, 200))
    let isRefusing = false
    const files = createFiles()
    const write: Files["write"] = (...args) => (isRefusing ? refusal("EIO") : files.write(...args))
    const refusing = { ...files, write }
    const second = await openTestJournal({
      dir,
      clock,
      files: refusing,
      createEpoch: () => "00000000000000a2",
    })
    await append(second, 5_000)
    await second.flushed()
    isRefusing = true
    second.append("rx", countingBytes(5_000, 10))
    await second.settled()
    await second.flushed()
    const third = await openTestJournal({ dir, stage, clock, createEpoch: fresh })
    await append(third, 100)
    await third.flushed()
    const { runs } = await readThrough(third, { from: { kind: "start" } })
    expect(runs).toContain("0-5000")
    expect((await readFile(join(dir, "00000000000000a2", "rx-0000000000000000.bytes"))).byteLength).toBe(
      5_000,
    )
  })
})

describe("a close", () => {
  test("that cannot write its note leaves the stage to the next process", async () => {
    const place = await createPlace()
    const files = createFiles()
    let isRefusing = false
    const open: Files["open"] = (path, flags) =>
      isRefusing && path.endsWith("journal.json.new") ? refusal("ENOSPC") : files.open(path, flags)
    const journal = await openTestJournal({ ...place, files: { ...files, open } })
    await append(journal, 1_000)
    isRefusing = true
    await journal.close()
    const next = await openTestJournal({ ...place, createEpoch: fresh })
    expect([next.epoch, (await readThrough(next)).runs]).toEqual([journal.epoch, ["0-1000"]])
  })

  test("on a disk that refuses leaves what waits to the next process", async () => {
    const place = await createPlace()
    const files = createFiles()
    let isRefusing = false
    const write: Files["write"] = (...args) => (isRefusing ? refusal("EIO") : files.write(...args))
    const journal = await openTestJournal({ ...place, files: { ...files, write } })
    await append(journal, 1_000)
    await journal.flushed()
    isRefusing = true
    journal.append("rx", countingBytes(1_000, 500))
    await journal.close()
    const next = await openTestJournal({ ...place, createEpoch: fresh })
    expect([next.epoch, (await readThrough(next)).runs]).toEqual([journal.epoch, ["0-1500"]])
  })

  test("during a look for what is too old leaves no file open, and the epoch goes on", async () => {
    const { dir } = await createPlace()
    const clock = new FakeClock(Date.UTC(2026, 0, 1))
    const options = { dir, clock, maxAgeMs: 16 * hourMs }
    const journal = await openTestJournal(options)
    await append(journal, 1_000)
    journal.append("tx", countingBytes(0, 1_000))
    await journal.flushed()
    clock.advance(3 * hourMs)
    await journal.close()
    const next = await openTestJournal({ ...options, createEpoch: fresh })
    expect([next.epoch, (await readThrough(next)).runs]).toEqual([journal.epoch, ["0-1000"]])
  })
})

test("an hour of restarts under the system's clock tells no step of it", async () => {
  const { dir } = await createPlace()
  for (let start = 0; start < 5; start++) {
    const journal = await openTestJournal({ dir, clock: systemClock })
    journal.append("rx", countingBytes(journal.place("rx").offset, 10))
    await journal.close()
  }
  const journal = await openTestJournal({ dir, clock: systemClock })
  const { records } = await journal.page("rx", { kind: "start" }, 10_000)
  expect(records.filter(isMarkRecord)).toEqual([])
})

test("without a stage, a killed process whose note can be neither taken away nor written begins a new epoch", async () => {
  const { dir } = await createPlace()
  const files = createFiles()
  let isReadOnly = false
  const readOnly: Files = {
    ...files,
    open: (path, flags) => (isReadOnly && flags !== "r" ? refusal("EROFS") : files.open(path, flags)),
    write: (...args) => (isReadOnly ? refusal("EROFS") : files.write(...args)),
    remove: (path) => (isReadOnly ? refusal("EROFS") : files.remove(path)),
    rename: (...args) => (isReadOnly ? refusal("EROFS") : files.rename(...args)),
  }
  const killed = await openTestJournal({ dir, files: readOnly })
  await append(killed, 1_000)
  await killed.flushed()
  isReadOnly = true
  killed.append("rx", countingBytes(1_000, 500))
  await killed.settled()
  const next = await openTestJournal({ dir, files: readOnly, createEpoch: fresh })
  expect(next.epoch).toBe(fresh())
})

describe("what the disk does not let go", () => {
  test("counts, and others go for it", async () => {
    const { dir } = await createPlace()
    const files = createFiles()
    const remove: Files["remove"] = (path) =>
      path.includes("rx-0000000000000000.") ? refusal("EPERM") : files.remove(path)
    const journal = await openTestJournal({ dir, maxBytes: mebibyte, files: { ...files, remove } })
    await append(journal, 5 * mebibyte)
    await journal.flushed()
    expect(await sizeOfFolder(dir)).toBeLessThanOrEqual(mebibyte + 4_096)
    expect((await stat(join(dir, journal.epoch, "rx-0000000000000000.bytes"))).size).toBeGreaterThan(0)
  })

  test("a segment that cannot be looked at for its age stays, and bytes are kept", async () => {
    const { dir } = await createPlace()
    const clock = new FakeClock(Date.UTC(2026, 0, 1))
    const options = { dir, clock, maxBytes: mebibyte, maxAgeMs: 24 * hourMs }
    const before = await openTestJournal(options)
    await append(before, 250_000)
    await before.close()
    clock.advance(48 * hourMs)
    const files = createFiles()
    const [, second] = await segmentsIn(join(dir, before.epoch))
    const open: Files["open"] = (path, flags) =>
      path.endsWith(second ?? "") ? refusal("EACCES") : files.open(path, flags)
    const journal = await openTestJournal({ ...options, files: { ...files, open } })
    await append(journal, 200_000)
    for (let hour = 0; hour < 2; hour++) await clock.advanceAsync(hourMs)
    await journal.flushed()
    expect(journal.health.problem).toBeNull()
  })
})

test("a note that could not be written once is written again", async () => {
  const { dir } = await createPlace()
  const clock = new FakeClock(1_000)
  const files = createFiles()
  let isRefusing = false
  const open: Files["open"] = (path, flags) =>
    isRefusing && path.endsWith("journal.json.new") ? refusal("ENOSPC") : files.open(path, flags)
  const journal = await openTestJournal({ dir, clock, maxBytes: mebibyte, files: { ...files, open } })
  await append(journal, 1_000)
  await journal.flushed()
  isRefusing = true
  await append(journal, 100_000)
  await journal.flushed()
  isRefusing = false
  await eventually(async () => {
    await clock.advanceAsync(5_000)
    expect(JSON.parse(await readFile(join(dir, "journal.json"), "utf8"))).toMatchObject({
      epoch: journal.epoch,
    })
  })
})
