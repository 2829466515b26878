import { encodeHex } from "@serialcast/primitives"
import { expect, test } from "vitest"
import { decodeEntry, encodeHeader, encodeRecord, endOfRaw, findEntry, type RawEntry } from "./index-entry.ts"

const offset = 2 ** 40 + 5
const timeUs = 1_900_000_000_123_456
const header = { format: 1, epoch: "00112233aabbccdd", createdUs: timeUs, stream: "rx", opens: 3 } as const
const mark = { n: 2, kind: "closed", reason: "it w\u00e4s unplugged" } as const
const entries = [
  encodeHeader(header, { offset, mark: 7 }, timeUs),
  encodeRecord({ offset, timeUs, bytes: new TextEncoder().encode("123456789") }),
  encodeRecord({ offset, timeUs, mark }),
]
const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
  new DataView(buffer, byteOffset, byteLength)
const find = (entry: Uint8Array) => findEntry(viewOf(entry), 0) as RawEntry

test("an entry is what the format says: the CRC-32 of 123456789 is CBF43926", () => {
  expect(encodeHex(entries[1]!)).toBe(
    "0020FFDF" + "4347641B" + "4200010000000005" + "0006C00A3914A240" + "00000009" + "CBF43926",
  )
})

test("what is decoded is what was encoded", () => {
  expect(entries.map((entry) => decodeEntry(find(entry)))).toEqual([
    { kind: "header", start: { offset, mark: 7 }, timeUs, header },
    { kind: "bytes", offset, timeUs, length: 9, checksum: 0xcbf43926 },
    { kind: "mark", offset, timeUs, mark },
  ])
  expect(entries.map((entry) => endOfRaw(find(entry)))).toEqual([
    { offset, mark: 7 },
    { offset: offset + 9, mark: 0 },
    { offset, mark: 3 },
  ])
})

test("an entry that was cut short is torn, wherever it was cut", () => {
  for (const entry of entries) {
    for (let length = 0; length < entry.byteLength; length++) {
      expect(findEntry(viewOf(entry.subarray(0, length)), 0)).toBe("torn")
    }
  }
})

test("an entry with any bit flipped is damaged, and never taken for torn", () => {
  for (const entry of entries) {
    for (let bit = 0; bit < entry.byteLength * 8; bit++) {
      const flipped = entry.slice()
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      const found = findEntry(viewOf(flipped), 0)
      expect(typeof found === "string" ? found : (decodeEntry(found) ?? "damaged")).toBe("damaged")
    }
  }
})
