import {
  formatCursor,
  isMarkRecord,
  maxChunkBytes,
  parseCursor,
  type StartPoint,
  type StreamRecord,
} from "@serialcast/contract"
import { checkCounting, countingBytes, FakeClock, seededRandom } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { createMemoryJournal } from "./memory-journal.ts"

const epoch = "00112233aabbccdd"
const capacityBytes = 16 * 1024 * 1024

const start = () => {
  const clock = new FakeClock(1_000)
  return { clock, journal: createMemoryJournal({ clock, createEpoch: () => epoch }) }
}

const at = (offset: number, mark = 0) => formatCursor({ epoch, offset, mark })
const cursor = (offset: number, mark = 0): StartPoint => ({ kind: "cursor", cursor: { epoch, offset, mark } })

/** Records as text: `offset+length` for a chunk, `offset.n` for a mark. */
const shape = (records: readonly StreamRecord[]) =>
  records.map((record) =>
    isMarkRecord(record)
      ? at(record.offset, record.mark.n).slice(17)
      : `${record.offset}+${record.bytes.byteLength}`,
  )

/** rx: mark, mark, 10 bytes, mark, 10 bytes read a second later. */
function filled() {
  const { clock, journal } = start()
  journal.mark("rx", { kind: "opened", open: 1 })
  journal.mark("rx", { kind: "closed", reason: "test" })
  journal.append("rx", countingBytes(0, 10))
  clock.advance(1_000)
  journal.mark("rx", { kind: "opened", open: 2 })
  journal.append("rx", countingBytes(10, 10))
  return journal
}

test("an empty journal has an empty page at its start", () => {
  const { journal } = start()
  const page = { gap: null, first: at(0), records: [], next: at(0), head: at(0) }
  for (const kind of ["now", "start"] as const) expect(journal.page("rx", { kind }, 100)).toEqual(page)
  expect(journal.page("rx", { kind: "last", bytes: 5 }, 100)).toEqual(page)
  expect(journal.extent("rx")).toEqual({ oldest: 0, head: 0 })
})

test("streams have offsets of their own, and marks count from 0 at each offset", () => {
  const journal = filled()
  journal.append("tx", Uint8Array.of(1))
  expect(shape(journal.page("rx", { kind: "start" }, 1_000).records)).toEqual([
    "0",
    "0.1",
    "0+10",
    "10",
    "10+10",
  ])
  expect(shape(journal.page("tx", { kind: "start" }, 100).records)).toEqual(["0+1"])
})

test.each<[string, StartPoint, string, string[]]>([
  ["start", { kind: "start" }, at(0), ["0", "0.1", "0+10", "10", "10+10"]],
  ["now", { kind: "now" }, at(20), []],
  ["the last bytes", { kind: "last", bytes: 5 }, at(15), ["15+5"]],
  ["the last bytes with the marks before them", { kind: "last", bytes: 10 }, at(10), ["10", "10+10"]],
  [
    "more last bytes than there are",
    { kind: "last", bytes: 1_000 },
    at(0),
    ["0", "0.1", "0+10", "10", "10+10"],
  ],
  ["a time in between", { kind: "time", timeUs: 1_500_000 }, at(10), ["10", "10+10"]],
  ["a time before all", { kind: "time", timeUs: 0 }, at(0), ["0", "0.1", "0+10", "10", "10+10"]],
  ["a time after all", { kind: "time", timeUs: 9_000_000 }, at(20), []],
  ["a cursor", cursor(3), at(3), ["3+7", "10", "10+10"]],
  ["a cursor between marks", cursor(0, 1), at(0, 1), ["0.1", "0+10", "10", "10+10"]],
  ["a cursor past the marks of an offset", cursor(10, 7), at(10, 7), ["10+10"]],
  ["the head", cursor(20), at(20), []],
])("a page from %s", (_name, from, first, records) => {
  const page = filled().page("rx", from, 1_000)
  expect(page).toMatchObject({ gap: null, first, head: at(20), next: at(20) })
  expect(shape(page.records)).toEqual(records)
})

test("a page has at most the bytes that were asked for, and the next one joins on", () => {
  const { journal } = start()
  for (let offset = 0; offset < 1_000; offset += 50) journal.append("rx", countingBytes(offset, 50))
  let from: StartPoint = { kind: "start" }
  let read = 0
  while (read < 1_000) {
    const page = journal.page("rx", from, 70)
    expect(page.first).toBe(at(read))
    for (const record of page.records) {
      if (isMarkRecord(record)) continue
      expect(record.offset).toBe(read)
      expect(checkCounting(record.bytes, read)).toBeUndefined()
      read += record.bytes.byteLength
    }
    expect(Number(page.next.split("-")[1])).toBe(read)
    expect(page.records.length).toBeGreaterThan(0)
    from = { kind: "cursor", cursor: parseCursor(page.next)! }
  }
})

test("a cursor beyond the head is refused", () => {
  const journal = filled()
  const tooFar = expect.objectContaining({
    code: "bad_cursor",
    message: `${at(21)} is beyond the head of the stream, ${at(20)}.`,
  })
  expect(() => journal.page("rx", cursor(21), 100)).toThrow(tooFar)
  expect(() => journal.page("rx", cursor(20, 1), 100)).toThrow(
    expect.objectContaining({ code: "bad_cursor" }),
  )
})

test("a cursor of another epoch gets a gap of unknown size, and then everything that is kept", () => {
  const page = filled().page(
    "rx",
    { kind: "cursor", cursor: { epoch: "ffffffffffffffff", offset: 999, mark: 0 } },
    1_000,
  )
  expect(page.gap).toEqual({ from: "ffffffffffffffff-999", to: at(0), bytes: null, reason: "evicted" })
  expect(page.first).toBe(at(0))
  expect(page.records).toHaveLength(5)
})

test("what was dropped is a gap of its exact size", () => {
  const { journal } = start()
  const block = new Uint8Array(maxChunkBytes)
  while (journal.extent("rx").oldest === 0) journal.append("rx", block)
  const { oldest, head } = journal.extent("rx")
  expect(head - oldest).toBeGreaterThan(capacityBytes * 0.9)
  expect(head - oldest).toBeLessThanOrEqual(capacityBytes)
  const page = journal.page("rx", cursor(100), 10)
  expect(page.gap).toEqual({ from: at(100), to: at(oldest), bytes: oldest - 100, reason: "evicted" })
  expect([page.first, page.next]).toEqual([at(oldest), at(oldest + 10)])
  expect(journal.page("rx", cursor(oldest), 10).gap).toBeNull()
  expect(journal.page("rx", { kind: "last", bytes: head }, 10)).toMatchObject({
    gap: null,
    first: at(oldest),
  })
})

test("reading everything gives every byte once, wherever the pages break", () => {
  const random = seededRandom()
  const { journal } = start()
  let head = 0
  let marks = 0
  for (let step = 0; step < 400; step++) {
    if (random.next() < 0.3) {
      journal.mark("rx", { kind: "closed", reason: `${marks++}` })
    } else {
      const length = 1 + Math.floor(random.next() * 200)
      journal.append("rx", countingBytes(head, length))
      head += length
    }
  }
  let from: StartPoint = { kind: "start" }
  const reasons: string[] = []
  let read = 0
  for (;;) {
    const page = journal.page("rx", from, 1 + Math.floor(random.next() * 900))
    if (page.records.length === 0) break
    for (const record of page.records) {
      expect(record.offset, `seed ${random.seed}`).toBe(read)
      if (isMarkRecord(record)) reasons.push(record.mark.kind === "closed" ? record.mark.reason : "")
      else {
        expect(checkCounting(record.bytes, read), `seed ${random.seed}`).toBeUndefined()
        read += record.bytes.byteLength
      }
    }
    from = { kind: "cursor", cursor: parseCursor(page.next)! }
  }
  expect(read).toBe(head)
  expect(reasons).toEqual(Array.from({ length: marks }, (_, n) => `${n}`))
})

test("news of one stream wake nobody who waits for the other", async () => {
  const { clock, journal } = start()
  const waiting = journal.news.tx.wait({ timeout: { clock, ms: 1_000 } })
  const woken = journal.news.rx.wait()
  journal.append("rx", Uint8Array.of(1))
  expect(await woken).toBe("woken")
  clock.advance(1_000)
  expect(await waiting).toBe("timeout")
})
