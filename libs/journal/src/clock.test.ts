import { isMarkRecord } from "@serialcast/contract"
import { countingBytes, FakeClock } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import type { Journal } from "./journal.ts"
import { append, createFolder, openTestJournal, readThrough } from "./testing/test-journal.ts"

const mebibyte = 1024 * 1024
const dayMs = 86_400_000
const today = Date.UTC(2026, 10, 30)

/** Times of the chunks, and steps of the clock as `step`. */
async function timesOf(journal: Journal): Promise<(number | string)[]> {
  const { records } = await journal.page("rx", { kind: "start" }, 10_000)
  return records.map((record) => {
    if (!isMarkRecord(record)) return record.timeUs / 1_000
    return record.mark.kind === "clock" ? `step ${record.mark.stepMs}` : record.mark.kind
  })
}

describe("when the clock is set", () => {
  test.each([
    ["from 1970 to today", 60_000, today],
    ["back by an hour", today, today - 3_600_000],
    ["forward by five seconds", today, today + 5_000],
  ])("%s, what comes in then has the new time, and a mark stands before it", async (_how, fromMs, toMs) => {
    const dir = await createFolder()
    const clock = new FakeClock(fromMs)
    const journal = await openTestJournal({ dir, clock })
    journal.append("rx", countingBytes(0, 1))
    clock.step(toMs - fromMs)
    journal.append("rx", countingBytes(1, 1))
    await journal.settled()
    const times = [fromMs, `step ${toMs - fromMs}`, toMs]
    expect(await timesOf(journal)).toEqual(times)
    await journal.close()
    expect(await timesOf(await openTestJournal({ dir, clock }))).toEqual(times)
  })

  test("between two processes of one boot, the next one tells it", async () => {
    const dir = await createFolder()
    const clock = new FakeClock(60_000)
    const before = await openTestJournal({ dir, clock })
    before.append("rx", countingBytes(0, 1))
    await before.close()
    clock.advance(5_000)
    clock.step(today)
    const journal = await openTestJournal({ dir, clock })
    await journal.settled()
    expect(await timesOf(journal)).toEqual([60_000, `step ${today}`])
  })

  test("time that passes, and a clock that is a little off, are no step", async () => {
    const clock = new FakeClock(today)
    const journal = await openTestJournal({ dir: await createFolder(), clock })
    for (let n = 0; n < 100; n++) {
      clock.advance(60_000)
      clock.step(n % 2 === 0 ? 50 : -50)
      journal.append("rx", countingBytes(n, 1))
      await journal.settled()
    }
    expect((await readThrough(journal)).runs).toEqual(["0-100"])
    expect((await timesOf(journal)).filter((time) => typeof time === "string")).toEqual([])
  })

  test("a machine that slept looks like it", async () => {
    const clock = new FakeClock(today)
    const journal = await openTestJournal({ dir: await createFolder(), clock })
    journal.append("rx", countingBytes(0, 1))
    clock.suspend(dayMs)
    journal.append("rx", countingBytes(1, 1))
    await journal.settled()
    expect(await timesOf(journal)).toEqual([today, `step ${dayMs}`, today + dayMs])
  })
})

describe("age drops nothing on the word of a clock that was not set", () => {
  const maxAgeMs = 30 * dayMs
  /** Four segments and more. */
  const kept = 250_000

  test.each([
    ["said 1970", 60_000],
    ["was two months late", today - 60 * dayMs],
    ["was ten years early", today + 3_650 * dayMs],
  ])("and %s, while the process runs", async (_how, fromMs) => {
    const clock = new FakeClock(fromMs)
    const journal = await openTestJournal({ dir: await createFolder(), clock, maxBytes: mebibyte, maxAgeMs })
    await append(journal, kept)
    clock.step(today - fromMs)
    await append(journal, 1_000)
    // The age is looked at once an hour.
    for (let hour = 0; hour < 3; hour++) await clock.advanceAsync(3_600_000)
    await journal.flushed()
    expect(journal.extent("rx")).toEqual({ oldest: 0, head: kept + 1_000 })
    expect((await readThrough(journal)).runs).toEqual([`0-${kept + 1_000}`])
  })

  test.each([
    ["said 1970", 60_000],
    ["was two months late", today - 60 * dayMs],
  ])("and %s, when the next process of the boot starts", async (_how, fromMs) => {
    const dir = await createFolder()
    const clock = new FakeClock(fromMs)
    const before = await openTestJournal({ dir, clock, maxBytes: mebibyte, maxAgeMs })
    await append(before, kept)
    await before.close()
    clock.step(today - fromMs)
    const journal = await openTestJournal({ dir, clock, maxBytes: mebibyte, maxAgeMs })
    await append(journal, 100_000)
    for (let hour = 0; hour < 3; hour++) await clock.advanceAsync(3_600_000)
    await journal.flushed()
    expect(journal.extent("rx").oldest).toBe(0)
  })

  test("but drops what is older by a clock that was set since, whatever it said before", async () => {
    const clock = new FakeClock(60_000)
    const dir = await createFolder()
    const journal = await openTestJournal({ dir, clock, maxBytes: mebibyte, maxAgeMs })
    await append(journal, kept)
    clock.step(today)
    await append(journal, 1_000)
    for (let day = 0; day < 35; day++) {
      await clock.advanceAsync(dayMs)
      await journal.flushed()
      await append(journal, 10)
    }
    await journal.close()
    // The newest bytes are in memory, whatever the disk has.
    const { oldest, head } = (await openTestJournal({ dir, clock })).extent("rx")
    expect(oldest).toBeGreaterThanOrEqual(kept)
    expect(oldest).toBeLessThan(head)
  })
})
