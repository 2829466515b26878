import fc from "fast-check"
import { expect, test } from "vitest"
import { decodeHex, encodeHex } from "./hex.ts"

test("every byte value encodes to two upper-case digits", () => {
  const all = Uint8Array.from({ length: 256 }, (_, value) => value)
  expect(encodeHex(all)).toBe(Buffer.from(all).toString("hex").toUpperCase())
})

test("long texts are made in one piece: a megabyte takes milliseconds, and next to no memory beside its own", () => {
  const bytes = Uint8Array.from({ length: 1_000_000 }, (_, at) => at % 256)
  const before = process.memoryUsage().heapUsed
  const text = encodeHex(bytes)
  // Pieces of two digits would take some 30 bytes for each of them.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000)
  expect(text).toBe(Buffer.from(bytes).toString("hex").toUpperCase())
})

test("what was encoded decodes to the same bytes, in either case", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(decodeHex(encodeHex(bytes))).toEqual(bytes)
      expect(decodeHex(encodeHex(bytes).toLowerCase())).toEqual(bytes)
    }),
  )
})

test.each(["4", "0x41", "41+42", "41:42", "41%2042", "4142/", "4g", " 41", "٤١", "4\u0141"])(
  "%j is refused whole",
  (text) => expect(decodeHex(text)).toBeUndefined(),
)
