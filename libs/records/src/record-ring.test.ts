import {
  decodeStreamMessage,
  encodeReply,
  encodeStreamMessage,
  isMarkRecord,
  type Mark,
  pageToWire,
  type StreamRecord,
} from "@serialcast/contract"
import { maxJoinedChunks } from "@serialcast/primitives"
import fc from "fast-check"
import { expect, test } from "vitest"
import { after, comparePositions, endOf, type Position } from "./position.ts"
import { recordCostBytes } from "./record-cost.ts"
import { RecordRing } from "./record-ring.ts"

type Action = { bytes: number } | "mark"
const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ bytes: fc.nat({ max: 400 }) }) },
    fc.constant("mark" as const),
  ),
  { maxLength: 60 },
)

/** Everything that was appended, one entry for each byte and mark. */
type Naive = { position: Position; text: string }[]

function fill(ring: RecordRing, todo: readonly Action[]): Naive {
  const naive: Naive = []
  for (const [timeUs, action] of todo.entries()) {
    const { offset, mark } = ring.head
    if (action === "mark") {
      naive.push({ position: { offset, mark }, text: `mark ${timeUs}` })
      ring.append({ offset, timeUs, mark: { n: mark, kind: "closed", reason: `${timeUs}` } })
      continue
    }
    const bytes = Uint8Array.from({ length: action.bytes }, (_, at) => offset + at)
    for (const [at, byte] of bytes.entries()) {
      naive.push({ position: { offset: offset + at, mark: at === 0 ? mark : 0 }, text: `byte ${byte}` })
    }
    ring.append({ offset, timeUs, bytes })
  }
  return naive
}

const textOf = (record: StreamRecord) =>
  isMarkRecord(record) ? [`mark ${record.timeUs}`] : [...record.bytes].map((byte) => `byte ${byte}`)

test("what is read from any position on is what was appended there, up to the head, however small the pages", () => {
  fc.assert(
    fc.property(
      actions,
      fc.integer({ min: 200, max: 5_000 }),
      fc.integer({ min: 1, max: 1_000 }),
      fc.array(fc.nat(), { minLength: 1, maxLength: 10 }),
      (todo, capacity, page, starts) => {
        const ring = new RecordRing(capacity, { offset: 0, mark: 0 })
        const naive = fill(ring, todo).filter(({ position }) => comparePositions(position, ring.start) >= 0)
        for (const start of starts) {
          const at = start % Math.max(1, naive.length)
          let cursor = naive[at]?.position ?? ring.head
          const read: string[] = []
          while (comparePositions(cursor, ring.head) < 0) {
            const records = ring.read(cursor, page)
            if (records.length === 0) throw new Error("a page before the head is empty")
            read.push(...records.flatMap(textOf))
            cursor = endOfLast(records)
          }
          expect(read).toEqual(naive.slice(at).map(({ text }) => text))
        }
      },
    ),
  )
})

function endOfLast(records: readonly StreamRecord[]): Position {
  const last = records.at(-1)!
  if (isMarkRecord(last)) return { offset: last.offset, mark: last.mark.n + 1 }
  return { offset: last.offset + last.bytes.byteLength, mark: 0 }
}

test("a ring over bytes that are there copies none, and is read like any other", () => {
  const all = Uint8Array.from({ length: 100 }, (_, at) => at)
  const [start, mark] = [
    { offset: 40, mark: 1 },
    { n: 1, kind: "overrun" },
  ] as const
  const rings = [new RecordRing(Number.POSITIVE_INFINITY, start), RecordRing.over(all.subarray(40), start)]
  for (const ring of rings) {
    ring.append({ offset: 40, timeUs: 0, mark })
    for (let at = 40; at < 100; at += 10)
      ring.append({ offset: at, timeUs: at, bytes: all.subarray(at, at + 10) })
  }
  for (const offset of [40, 45, 55, 99]) {
    const [copied, given] = rings.map((ring) => ring.read({ offset, mark: 0 }, 33))
    expect(given).toEqual(copied)
    for (const record of given ?? []) if (!isMarkRecord(record)) expect(record.bytes.buffer).toBe(all.buffer)
  }
})

test("a chunk tells how many marks stand before it, wherever the reading starts", () => {
  const ring = new RecordRing(10_000, { offset: 0, mark: 0 })
  fill(ring, [{ bytes: 2 }, "mark", "mark", { bytes: 2 }])
  expect(ring.read({ offset: 2, mark: 0 }, 1_000).at(-1)).toMatchObject({ offset: 2, marks: 2 })
  expect(ring.read({ offset: 2, mark: 2 }, 1_000)).toMatchObject([{ offset: 2, marks: 2 }])
  expect(ring.read({ offset: 3, mark: 0 }, 1_000)[0]).not.toHaveProperty("marks")
})

test.each(["x", "\u00e9", "\u4e00"])(
  "a page of marks with long texts of %j is no larger than asked for",
  (unit) => {
    const ring = new RecordRing(10_000_000, { offset: 0, mark: 0 })
    for (let n = 0; n < 500; n++) {
      const refused = { kind: "refused", id: unit.repeat(64), by: unit.repeat(128), bytes: 0 } as const
      const mark: Mark = { n, ...refused, code: "device_offline" }
      ring.append({ offset: 0, timeUs: 2 ** 52, mark })
    }
    const records = ring.read({ offset: 0, mark: 0 }, 60_000)
    const cursor = "00000000000000aa-0"
    const page = pageToWire({ gap: null, first: cursor, records, next: cursor, head: cursor })
    const encoded = encodeReply({ id: "1" }, { page }, "cbor")
    expect([records.length > 50, encoded.byteLength <= 61_000]).toEqual([true, true])
  },
)

test("the oldest records are dropped beyond the capacity, the newest one never", () => {
  fc.assert(
    fc.property(actions, fc.integer({ min: 1, max: 5_000 }), (todo, capacity) => {
      const ring = new RecordRing(capacity, { offset: 0, mark: 0 })
      fill(ring, todo)
      const records = ring.read(ring.start, Number.MAX_SAFE_INTEGER)
      const bytes = records.reduce(
        (sum, record) => sum + (isMarkRecord(record) ? 0 : record.bytes.byteLength),
        0,
      )
      expect(bytes).toBeLessThanOrEqual(Math.max(capacity, 400))
    }),
  )
})

test("thousands of dropped records are let go of", () => {
  const ring = new RecordRing(10 * (recordCostBytes + 8), { offset: 0, mark: 0 })
  fill(
    ring,
    Array.from({ length: 10_000 }, () => ({ bytes: 8 })),
  )
  expect(ring.start.offset).toBe(80_000 - 80)
  expect(ring.read(ring.start, 1_000)).toMatchObject([{ offset: 79_920, bytes: { byteLength: 80 } }])
})

test("an empty chunk is nothing: it does not take back the marks at the head", () => {
  const ring = new RecordRing(1_000, { offset: 0, mark: 0 })
  fill(ring, ["mark", { bytes: 0 }])
  expect(ring.head).toEqual({ offset: 0, mark: 1 })
})

test("a time is found where its first record starts, and at the head when all is older", () => {
  const ring = new RecordRing(10_000, { offset: 0, mark: 0 })
  fill(ring, [{ bytes: 4 }, "mark", { bytes: 4 }])
  expect([0, 1, 2, 3].map((timeUs) => ring.findTime(timeUs))).toEqual([
    { offset: 0, mark: 0 },
    { offset: 4, mark: 0 },
    { offset: 4, mark: 1 },
    { offset: 8, mark: 0 },
  ])
})

test("what was read stays as it was, whatever is appended and dropped after", () => {
  const ring = new RecordRing(20_000, { offset: 0, mark: 0 })
  const bytes = new Uint8Array(10_000).fill(1)
  ring.append({ offset: 0, timeUs: 0, bytes })
  bytes.fill(2)
  const [read] = ring.read({ offset: 0, mark: 0 }, 10_000)
  for (let offset = 10_000; offset < 200_000; offset += 10_000) ring.append({ offset, timeUs: 0, bytes })
  expect(read).toMatchObject({ bytes: new Uint8Array(10_000).fill(1) })
})

test("the head is the same object until it moves", () => {
  const ring = new RecordRing(1_000, { offset: 0, mark: 0 })
  const { head } = ring
  expect(ring.head).toBe(head)
  ring.append({ offset: 0, timeUs: 0, bytes: Uint8Array.of(1) })
  expect(ring.head).toEqual({ offset: 1, mark: 0 })
  expect(head).toEqual({ offset: 0, mark: 0 })
})

test("a record that does not start at the head is refused", () => {
  const ring = new RecordRing(1_000, { offset: 5, mark: 0 })
  expect(() => ring.append({ offset: 4, timeUs: 0, bytes: Uint8Array.of(1) })).toThrow(
    "does not join on at 5",
  )
  expect(ring.head).toEqual({ offset: 5, mark: 0 })
})

test("what was read after the clock was set keeps its time, forwards and back", () => {
  const ring = new RecordRing(10_000, { offset: 0, mark: 0 })
  const [dayUs, hourUs] = [86_400_000_000, 3_600_000_000]
  const times = [dayUs, dayUs + 10, dayUs - hourUs, dayUs - hourUs + 10, dayUs + 20]
  for (const [offset, timeUs] of times.entries())
    ring.append({ offset, timeUs, bytes: Uint8Array.of(offset) })
  const read = ring.read(ring.start, 1_000)
  expect(read.map(({ timeUs }) => timeUs)).toEqual([dayUs, dayUs - hourUs, dayUs + 20])
})

test("each byte keeps the time of its read: joined or not, read from anywhere, sent, and read from another ring", () => {
  const chunks = fc.array(
    fc.tuple(fc.integer({ min: 1, max: 5 }), fc.constantFrom(0, 100, 9_000, 49_999, 70_000)),
    {
      minLength: 1,
      maxLength: 40,
    },
  )
  fc.assert(
    fc.property(
      chunks,
      fc.integer({ min: 1, max: 30 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (sent, page, place) => {
        const rings = [
          new RecordRing(10_000, { offset: 0, mark: 0 }),
          new RecordRing(10_000, { offset: 0, mark: 0 }),
        ]
        const [first, second] = rings
        const times: number[] = []
        let timeUs = 1
        for (const [length, afterUs] of sent) {
          timeUs += afterUs
          first?.append({ offset: times.length, timeUs, bytes: new Uint8Array(length) })
          times.push(...Array<number>(length).fill(timeUs))
        }
        for (const record of readAll(first, 0, page)) second?.append(record)
        const start = Math.floor(place * (times.length - 1))
        for (const ring of rings)
          expect(readAll(ring, start, page).flatMap(timesOf)).toEqual(times.slice(start))
      },
    ),
  )
})

/** All from an offset on, each record as it comes over the wire. */
function readAll(ring: RecordRing | undefined, start: number, page: number): StreamRecord[] {
  const records: StreamRecord[] = []
  let at: Position = { offset: start, mark: 0 }
  while (ring !== undefined && comparePositions(at, ring.head) < 0) {
    for (const record of ring.read(at, page)) {
      const rest = after(at, record)
      if (rest === undefined) throw new Error("a page repeats what was had")
      const message = { epoch: "0".repeat(16), stream: "rx", record: rest } as const
      records.push(decodeStreamMessage(encodeStreamMessage(message)).record)
      at = endOf(rest)
    }
  }
  return records
}

function timesOf(record: StreamRecord): number[] {
  if (isMarkRecord(record)) return []
  const { offset, timeUs, bytes, reads = [] } = record
  return Array.from(bytes, (_, at) => reads.findLast((read) => read.offset <= offset + at)?.timeUs ?? timeUs)
}

test("a page of single bytes is joined of a bounded number of chunks, and the part of one has its times", () => {
  const ring = new RecordRing(1_000_000, { offset: 0, mark: 0 })
  for (let offset = 0; offset < 2_000; offset++)
    ring.append({ offset, timeUs: offset, bytes: Uint8Array.of(1) })
  const [record] = ring.read({ offset: 3, mark: 0 }, 60_000)
  if (record === undefined || isMarkRecord(record)) throw new Error("no chunk")
  expect(record.bytes.byteLength).toBe(maxJoinedChunks)
  expect(after({ offset: 10, mark: 0 }, record)).toMatchObject({
    timeUs: 10,
    reads: { length: maxJoinedChunks - 8 },
  })
})
