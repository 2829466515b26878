import { isMarkRecord, type StreamRecord } from "@serialcast/contract"
import fc from "fast-check"
import { expect, test } from "vitest"
import { ListRing, unitsOf } from "./list-ring.ts"
import { comparePositions, endOf, type Position, startOf } from "./position.ts"
import { costOf } from "./record-cost.ts"
import { RecordRing } from "./record-ring.ts"

// A place is a fraction of what was appended, so that most are of what is kept.
const place = fc.double({ min: 0, max: 1, noNaN: true })

type Action =
  | { readonly bytes: number; readonly afterUs: number }
  | { readonly mark: string; readonly afterUs: number }
  | { readonly hold: number | null }

const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ bytes: fc.nat({ max: 600 }), afterUs: fc.nat({ max: 60_000 }) }) },
    { weight: 1, arbitrary: fc.record({ bytes: fc.nat({ max: 40_000 }), afterUs: fc.constant(-30_000) }) },
    { weight: 2, arbitrary: fc.record({ mark: fc.string({ maxLength: 20 }), afterUs: fc.nat({ max: 99 }) }) },
    { weight: 1, arbitrary: fc.record({ hold: fc.option(place) }) },
  ),
  { maxLength: 60 },
)

interface World {
  readonly ring: RecordRing
  readonly list: ListRing
  readonly appended: readonly StreamRecord[]
}

function play(todo: readonly Action[], capacityBytes: number): World {
  const start = { offset: 2 ** 33, mark: 0 }
  const ring = new RecordRing(capacityBytes, start)
  const list = new ListRing(capacityBytes, start)
  const appended: StreamRecord[] = []
  let timeUs = 1e15
  for (const action of todo) {
    if ("hold" in action) {
      const position = action.hold === null ? null : placeIn(appended, action.hold, list.head)
      ring.hold(position)
      list.hold(position)
      continue
    }
    timeUs += action.afterUs
    const { offset, mark: n } = list.head
    const record: StreamRecord =
      "mark" in action
        ? { offset, timeUs, mark: { n, kind: "closed", reason: action.mark } }
        : { offset, timeUs, bytes: Uint8Array.from({ length: action.bytes }, (_, at) => offset + at * 7) }
    ring.append(record)
    list.append(record)
    if ("mark" in action || action.bytes > 0) appended.push(record)
  }
  return { ring, list, appended }
}

/** The start of the record there; of a chunk, for every other one, a place within. */
function placeIn(appended: readonly StreamRecord[], fraction: number, head: Position): Position {
  const at = Math.floor(fraction * appended.length)
  const record = appended[at]
  if (record === undefined) return head
  if (isMarkRecord(record) || at % 2 === 0) return startOf(record)
  return { offset: record.offset + Math.floor((record.bytes.byteLength - 1) / 2), mark: 0 }
}

/** At the start of a record. */
function boundaryIn(appended: readonly StreamRecord[], fraction: number, head: Position): Position {
  const record = appended[Math.floor(fraction * appended.length)]
  return record === undefined ? head : startOf(record)
}

const capacity = fc.integer({ min: 1, max: 60_000 })

test("it keeps what a list of records keeps, whatever is appended, held and dropped", () => {
  fc.assert(
    fc.property(actions, capacity, fc.array(place, { maxLength: 5 }), (todo, capacityBytes, places) => {
      const { ring, list, appended } = play(todo, capacityBytes)
      expect([ring.start, ring.head]).toEqual([list.start, list.head])
      for (const fraction of places) {
        const position = placeIn(appended, fraction, list.head)
        expect(ring.costFrom(position)).toBe(list.costFrom(position))
        expect(ring.records(position, 2_000)).toEqual(list.records(position, 2_000))
        const timeUs = 1e15 + fraction * 3e6
        expect(ring.findTime(timeUs)).toEqual(list.findTime(timeUs))
      }
    }),
  )
})

test("reading page after page from any place gives every byte and mark up to `until` once, and none beyond", () => {
  const pages = fc.integer({ min: 1, max: 3_000 })
  fc.assert(
    fc.property(actions, capacity, pages, place, place, (todo, capacityBytes, page, from, to) => {
      const { ring, list, appended } = play(todo, capacityBytes)
      const until = boundaryIn(appended, to, list.head)
      const wanted = list.units(placeIn(appended, from, list.head), until)
      const read: StreamRecord[] = []
      let at = placeIn(appended, from, list.head)
      for (;;) {
        const records = ring.read(at, page, until)
        const last = records.at(-1)
        if (last === undefined) break
        at = endOf(last)
        read.push(...records.flatMap(unitsOf))
      }
      expect(read).toEqual(wanted)
      expect(read.every((record) => comparePositions(endOf(record), until) <= 0)).toBe(true)
    }),
  )
})

test("a page holds no more bytes than asked for, and joins only what was read within 50 ms", () => {
  fc.assert(
    fc.property(actions, fc.integer({ min: 1, max: 3_000 }), place, (todo, page, from) => {
      const { ring, list, appended } = play(todo, 60_000)
      const records = ring.read(placeIn(appended, from, list.head), page)
      const sizes = records.map((record) => (isMarkRecord(record) ? costOf(record) : record.bytes.byteLength))
      expect(sizes.slice(0, -1).reduce((sum, size) => sum + size, 0)).toBeLessThan(page)
      for (const record of records) {
        if (isMarkRecord(record)) continue
        const end = record.offset + record.bytes.byteLength
        const parts = appended.filter(({ offset }) => offset > record.offset && offset < end)
        for (const { timeUs } of parts) expect(timeUs - record.timeUs).toBeLessThanOrEqual(50_000)
      }
    }),
  )
})
