import { concatBytes } from "@serialcast/primitives"
import { seededRandom } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { encodeRecord, fileHead, type KeptRecord, readRecords } from "./record.ts"

const random = seededRandom()
const records: KeptRecord[] = [
  { topic: "a", message: { qos: 1, payload: Uint8Array.of(1) } },
  { topic: "grün/#1", message: { qos: 2, payload: random.bytes(3_000) } },
  { topic: "a", message: undefined },
  { topic: "b", message: { qos: 0, payload: new Uint8Array(200) } },
]
const encoded = records.map(encodeRecord)
const file = concatBytes([fileHead, ...encoded])

/** How many records end within the first `length` bytes. */
function wholeWithin(length: number): number {
  let end = fileHead.byteLength
  return encoded.filter((record) => (end += record.byteLength) <= length).length
}

test("the bytes of a record are those of the format", () => {
  const [first] = encoded
  // The checksum is zlib's of 00000005 01000161 01.
  expect(Buffer.from(first!).toString("hex")).toBe("000000058187acea0100016101")
})

test("what was written is read", () => {
  expect(readRecords(file)).toEqual({ records, end: "whole", restBytes: 0 })
})

test("a file that was cut anywhere has every record before the cut, and is torn", () => {
  for (let length = 0; length < file.byteLength; length++) {
    const { records: read, end } = readRecords(file.subarray(0, length))
    const count = wholeWithin(length)
    expect(read, `cut at ${length}`).toEqual(records.slice(0, count))
    const ends = [fileHead, ...encoded].map(
      (_, at) => concatBytes([fileHead, ...encoded.slice(0, at)]).byteLength,
    )
    expect(end, `cut at ${length}`).toBe(ends.includes(length) ? "whole" : "torn")
  }
})

test("room that the disk never filled is a torn end", () => {
  const read = readRecords(concatBytes([file, new Uint8Array(4_096)]))
  expect(read).toEqual({ records, end: "torn", restBytes: 4_096 })
})

test("whatever bit is wrong, no record is read that was not written", () => {
  for (let round = 0; round < 2_000; round++) {
    const damaged = file.slice()
    const at = Math.floor(random.next() * file.byteLength)
    damaged[at]! ^= 1 << Math.floor(random.next() * 8)
    const { records: read, end } = readRecords(damaged)
    expect(read, `seed ${random.seed}, byte ${at}`).toEqual(records.slice(0, read.length))
    expect(end, `seed ${random.seed}, byte ${at}`).not.toBe("whole")
  }
})

test.each(["", "serialcast ret"])(
  "a file with %j in it was begun, one with other text is damaged",
  (text) => {
    expect(readRecords(new TextEncoder().encode(text)).end).toBe("torn")
    expect(readRecords(new TextEncoder().encode(`${text}!!`))).toMatchObject({ end: "damaged", records: [] })
  },
)
