import { formatCursor, type StartPoint } from "@serialcast/contract"
import { countingBytes, FakeClock, seededRandom } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import type { Journal } from "./journal.ts"
import { createMemoryJournal } from "./memory/memory-journal.ts"
import { createFolder, openTestJournal, readThrough, shape } from "./testing/test-journal.ts"

const epoch = "0000000000000001"
const at = (offset: number, mark = 0) => formatCursor({ epoch, offset, mark })
const cursor = (offset: number, mark = 0): StartPoint => ({ kind: "cursor", cursor: { epoch, offset, mark } })

interface Started {
  readonly clock: FakeClock
  readonly journal: Journal
  /** The journal when all is shown; where a next process would read it, as that process has it. */
  readonly settle: () => Promise<Journal>
}

const kinds: [string, () => Promise<Started>][] = [
  [
    "in memory",
    async () => {
      const clock = new FakeClock(1_000)
      const journal = createMemoryJournal({ clock, createEpoch: () => epoch })
      return { clock, journal, settle: async () => journal }
    },
  ],
  [
    "on disk",
    async () => {
      const clock = new FakeClock(1_000)
      const journal = await openTestJournal({ dir: await createFolder(), clock })
      const settle = async () => {
        await journal.settled()
        return journal
      }
      return { clock, journal, settle }
    },
  ],
  [
    "on disk, of a process before",
    async () => {
      const clock = new FakeClock(1_000)
      const dir = await createFolder()
      const journal = await openTestJournal({ dir, clock })
      const settle = async () => {
        await journal.close()
        return await openTestJournal({ dir, clock })
      }
      return { clock, journal, settle }
    },
  ],
]

describe.each(kinds)("a journal %s", (_name, start) => {
  /** rx: mark, mark, 10 bytes, mark, 10 bytes read a second later. */
  async function filled(): Promise<Journal> {
    const { clock, journal, settle } = await start()
    journal.mark("rx", { kind: "opened", open: 1 })
    journal.mark("rx", { kind: "closed", reason: "test" })
    journal.append("rx", countingBytes(0, 10))
    clock.advance(1_000)
    journal.mark("rx", { kind: "opened", open: 2 })
    journal.append("rx", countingBytes(10, 10))
    journal.append("tx", Uint8Array.of(1))
    return await settle()
  }

  test("has an empty page at its start when it is empty", async () => {
    const { settle } = await start()
    const journal = await settle()
    const page = { gap: null, first: at(0), records: [], next: at(0), head: at(0) }
    for (const kind of ["now", "start"] as const)
      expect(await journal.page("rx", { kind }, 100)).toEqual(page)
    expect(await journal.page("rx", { kind: "last", bytes: 5 }, 100)).toEqual(page)
    expect(journal.extent("rx")).toEqual({ oldest: 0, head: 0 })
  })

  test("gives each stream offsets of its own, and counts marks from 0 at each offset", async () => {
    const journal = await filled()
    const { records } = await journal.page("rx", { kind: "start" }, 1_000)
    expect(shape(records)).toEqual(["0.0", "0.1", "0+10", "10.0", "10+10"])
    expect(records.at(-1)).toMatchObject({ marks: 1, timeUs: 2_000_000 })
    expect(shape((await journal.page("tx", { kind: "start" }, 100)).records)).toEqual(["0+1"])
    expect(journal.opens).toBe(2)
    expect(journal.head("rx")).toEqual({ offset: 20, mark: 0 })
  })

  const all = ["0.0", "0.1", "0+10", "10.0", "10+10"]
  test.each<[string, StartPoint, string, string[]]>([
    ["start", { kind: "start" }, at(0), all],
    ["now", { kind: "now" }, at(20), []],
    ["the last bytes", { kind: "last", bytes: 5 }, at(15), ["15+5"]],
    ["the last bytes with the marks before them", { kind: "last", bytes: 10 }, at(10), ["10.0", "10+10"]],
    ["more last bytes than there are", { kind: "last", bytes: 1_000 }, at(0), all],
    ["a time in between", { kind: "time", timeUs: 1_500_000 }, at(10), ["10.0", "10+10"]],
    ["a time before all", { kind: "time", timeUs: 0 }, at(0), all],
    ["a time after all", { kind: "time", timeUs: 9_000_000 }, at(20), []],
    ["a cursor", cursor(3), at(3), ["3+7", "10.0", "10+10"]],
    ["a cursor between marks", cursor(0, 1), at(0, 1), ["0.1", "0+10", "10.0", "10+10"]],
    ["a cursor past the marks of an offset", cursor(10, 7), at(10, 7), ["10+10"]],
    ["the head", cursor(20), at(20), []],
  ])("has a page from %s", async (_start, from, first, records) => {
    const page = await (await filled()).page("rx", from, 1_000)
    expect(page).toMatchObject({ gap: null, first, head: at(20), next: at(20) })
    expect(shape(page.records)).toEqual(records)
  })

  test("has no more in a page than was asked for, and the next one joins on", async () => {
    const { journal, settle } = await start()
    for (let offset = 0; offset < 1_000; offset += 50) journal.append("rx", countingBytes(offset, 50))
    const settled = await settle()
    expect(shape((await settled.page("rx", { kind: "start" }, 70)).records)).toEqual(["0+70"])
    expect((await readThrough(settled, { pageBytes: () => 70 })).runs).toEqual(["0-1000"])
  })

  test("refuses a cursor beyond the head", async () => {
    const journal = await filled()
    await expect(journal.page("rx", cursor(21), 100)).rejects.toMatchObject({
      code: "bad_cursor",
      message: `${at(21)} is beyond the head of the stream, ${at(20)}.`,
    })
    await expect(journal.page("rx", cursor(20, 1), 100)).rejects.toMatchObject({ code: "bad_cursor" })
  })

  test("has a gap of unknown size before all that it keeps for a cursor of an unknown epoch", async () => {
    const unknown = { epoch: "ffffffffffffffff", offset: 999, mark: 0 }
    const page = await (await filled()).page("rx", { kind: "cursor", cursor: unknown }, 1_000)
    expect(page.gap).toEqual({ from: "ffffffffffffffff-999", to: at(0), bytes: null, reason: "evicted" })
    expect(page.first).toBe(at(0))
    expect(shape(page.records)).toEqual(all)
  })

  test("gives every byte and mark once, wherever the pages break", async () => {
    const random = seededRandom()
    const { journal, settle } = await start()
    let marks = 0
    for (let step = 0; step < 600; step++) {
      if (random.next() < 0.3) {
        journal.mark("rx", { kind: "closed", reason: `${marks++}` })
      } else {
        // Some are longer than an entry of the index is allowed to be.
        const length = 1 + Math.floor(random.next() ** 4 * 40_000)
        journal.append("rx", countingBytes(journal.place("rx").offset, length))
      }
    }
    const settled = await settle()
    const pageBytes = () => 1 + Math.floor(random.next() * 9_000)
    const { runs, reasons } = await readThrough(settled, { pageBytes })
    expect(runs, `seed ${random.seed}`).toEqual([`0-${settled.head("rx").offset}`])
    expect(reasons, `seed ${random.seed}`).toEqual(Array.from({ length: marks }, (_, n) => `${n}`))
  })

  test("wakes nobody who waits for the other stream", async () => {
    const { clock, journal } = await start()
    const waiting = journal.news.tx.wait({ timeout: { clock, ms: 500 } })
    const woken = journal.news.rx.wait()
    journal.append("rx", Uint8Array.of(1))
    expect(await woken).toBe("woken")
    clock.advance(500)
    expect(await waiting).toBe("timeout")
  })
})
