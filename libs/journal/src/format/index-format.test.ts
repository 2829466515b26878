import { isMarkRecord, type StreamRecord } from "@serialcast/contract"
import { encodeHex } from "@serialcast/primitives"
import { endOf, type Position } from "@serialcast/records"
import { countingBytes, seededRandom } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { EntryReader } from "./entry-reader.ts"
import { EntryWriter } from "./entry-writer.ts"
import { findFrame, isIntact } from "./frame.ts"
import { endOfEntry, type IndexEntry } from "./index-entry.ts"

const start: Position = { offset: 5_000_000_000, mark: 2 }
const header = {
  format: 2,
  epoch: "0123456789abcdef",
  createdUs: 7,
  stream: "tx",
  opens: 3,
  bootId: "boot-1",
} as const

function encode(records: readonly StreamRecord[]): Uint8Array {
  const writer = new EntryWriter(start, { indexBytes: 0, position: start })
  writer.header(header, 1_000_000)
  for (const record of records) writer.add(record)
  return writer.take().bytes
}

/** All entries from the start on, up to the first frame that is none. */
function decode(bytes: Uint8Array): IndexEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const reader = new EntryReader(start)
  const entries: IndexEntry[] = []
  for (let at = 0; at < bytes.byteLength; ) {
    const frame = findFrame(view, at)
    const entry = typeof frame === "string" ? undefined : reader.read(frame)
    if (typeof frame === "string" || entry === undefined) return entries
    entries.push(entry)
    at += frame.length
  }
  return entries
}

/** Chunks and marks of every kind, with a clock that somebody sets now and then. */
function createRecords(random: () => number, count: number): StreamRecord[] {
  const records: StreamRecord[] = []
  let position = start
  let timeUs = 1_800_000_000_000_000
  let write = { client: "web-1", id: "", by: "somebody", bytes: 0 }
  for (let n = 0; n < count; n++) {
    timeUs += random() < 0.02 ? Math.round((random() - 0.5) * 1e12) : Math.floor(random() * 20_000)
    const { offset, mark } = position
    const place = { offset, timeUs }
    const choice = random()
    let record: StreamRecord
    if (choice < 0.3) {
      const id = random() < 0.5 ? uuid(random) : `${Math.floor(random() * 1e9)} é`
      write = {
        client: `web-${Math.floor(random() * 3)}`,
        id,
        by: "token:poller",
        bytes: Math.floor(random() * 300),
      }
      record = { ...place, mark: { n: mark, kind: "started", ...write } }
    } else if (choice < 0.5) record = { ...place, mark: { n: mark, kind: "drained", ...write } }
    else if (choice < 0.6)
      record = { ...place, mark: { n: mark, kind: "lines", by: null, lines: { dtr: true } } }
    else record = { ...place, bytes: countingBytes(offset, 1 + Math.floor(random() * 400)) }
    records.push(record)
    position = endOf(record)
  }
  return records
}

function uuid(random: () => number): string {
  const hex = encodeHex(Uint8Array.from({ length: 16 }, () => Math.floor(random() * 256))).toLowerCase()
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

const told = (record: StreamRecord) =>
  isMarkRecord(record)
    ? { kind: "mark", ...record }
    : expect.objectContaining({
        kind: "bytes",
        offset: record.offset,
        length: record.bytes.byteLength,
        timeUs: record.timeUs,
      })

const isRecord = ({ kind }: IndexEntry) => kind === "bytes" || kind === "mark"

test("what was written is read, over the ends of blocks", () => {
  const random = seededRandom()
  const records = createRecords(random.next, 3_000)
  const [first, ...rest] = decode(encode(records))
  expect(first).toEqual({ kind: "header", header, start, timeUs: 1_000_000 })
  expect(rest.filter(isRecord), `seed ${random.seed}`).toEqual(records.map(told))
  expect(rest.filter(({ kind }) => kind === "block").length).toBeGreaterThan(4)
})

test("reading can begin at any block, and knows the place and the texts there", () => {
  const random = seededRandom()
  const records = createRecords(random.next, 3_000)
  const writer = new EntryWriter(start, { indexBytes: 0, position: start })
  for (const record of records) writer.add(record)
  const { bytes, blocks } = writer.take()
  const all = decode(bytes).filter(isRecord)
  for (const { at, position } of blocks) {
    const entries = decode(bytes.slice(at))
    expect(entries[0], `seed ${random.seed}`).toMatchObject({ kind: "block", start: position })
    const read = entries.filter(isRecord)
    expect(read, `seed ${random.seed}`).toEqual(all.slice(all.length - read.length))
  }
  expect(blocks.length).toBeGreaterThan(4)
})

test("a cut anywhere leaves the entries in front of it, and a flipped bit is noticed", () => {
  const random = seededRandom()
  const bytes = encode(createRecords(random.next, 60))
  const whole = decode(bytes)
  for (let end = 0; end < bytes.byteLength; end++) {
    const read = decode(bytes.slice(0, end))
    expect(read, `seed ${random.seed}, ${end}`).toEqual(whole.slice(0, read.length))
    expect(read.length).toBeLessThan(whole.length)
  }
  for (let at = 0; at < bytes.byteLength; at++) {
    const flipped = bytes.slice()
    flipped[at]! ^= 1 << Math.floor(random.next() * 8)
    const read = decode(flipped)
    expect(read, `seed ${random.seed}, ${at}`).toEqual(whole.slice(0, read.length))
    expect(read.length, `seed ${random.seed}, ${at}`).toBeLessThan(whole.length)
  }
})

test("the two marks of a write take 64 bytes at most, the names of clients told once", () => {
  const random = seededRandom()
  const writer = new EntryWriter({ offset: 0, mark: 0 }, { indexBytes: 0, position: { offset: 0, mark: 0 } })
  const add = (writes: number, from: number) => {
    for (let n = from; n < from + writes; n++) {
      const write = { client: "http-gateway-4f2a9c1d", id: uuid(random.next), by: "token:poller", bytes: 8 }
      const timeUs = 1_800_000_000_000_000 + n * 40_000
      const offset = n * 8
      const mark = n === 0 ? 0 : 1
      writer.add({ offset, timeUs, mark: { n: mark, kind: "started", ...write } })
      writer.add({ offset, timeUs: timeUs + 100, bytes: countingBytes(offset, 8) })
      writer.add({ offset: offset + 8, timeUs: timeUs + 900, mark: { n: 0, kind: "drained", ...write } })
    }
    return writer.take().bytes.byteLength
  }
  add(1, 0)
  const chunkBytes = 24
  expect(add(10_000, 1) / 10_000 - chunkBytes).toBeLessThanOrEqual(64)
})

test("a mark of a later version is told by its name, and what follows it is read", () => {
  const records = [
    { offset: start.offset, timeUs: 5, mark: { n: 2, kind: "painted", color: "red" } },
    { offset: start.offset, timeUs: 6, mark: { n: 3, kind: "overrun" } },
  ] as unknown as StreamRecord[]
  expect(decode(encode(records)).filter(isRecord)).toEqual([
    { kind: "mark", offset: start.offset, timeUs: 5, mark: { n: 2, kind: "other", name: "painted" } },
    { kind: "mark", offset: start.offset, timeUs: 6, mark: { n: 3, kind: "overrun" } },
  ])
})

test("the place behind an entry is known without reading it", () => {
  const random = seededRandom()
  const bytes = encode(createRecords(random.next, 500))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const [reader, glancing] = [new EntryReader(start), new EntryReader(start)]
  let position = start
  for (let at = 0; at < bytes.byteLength; ) {
    const frame = findFrame(view, at)
    if (typeof frame === "string") throw new Error(frame)
    expect(isIntact(frame)).toBe(true)
    const entry = reader.read(frame)
    if (entry === undefined) throw new Error(`at ${at}`)
    const end = endOfEntry(entry, position)
    if (entry.kind !== "header") expect(glancing.endOf(frame, position), `seed ${random.seed}`).toEqual(end)
    position = end
    at += frame.length
  }
})
