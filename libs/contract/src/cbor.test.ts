import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { decodeCbor, encodeCbor, wireInteger } from "./cbor.ts"
import { AppError } from "./errors.ts"

const fromHex = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"))

/** RFC 8949 §3 by the letter, for the types of the profile. */
function encodeByTheBook(value: unknown): number[] {
  if (value === false || value === true || value === null)
    return [value === null ? 0xf6 : value ? 0xf5 : 0xf4]
  if (typeof value === "number") return head(0, value)
  if (typeof value === "string") {
    const text = new TextEncoder().encode(value)
    return [...head(3, text.length), ...text]
  }
  if (value instanceof Uint8Array) return [...head(2, value.length), ...value]
  if (Array.isArray(value)) return [...head(4, value.length), ...value.flatMap(encodeByTheBook)]
  const entries = Object.entries(value as object)
  return [...head(5, entries.length), ...entries.flatMap((entry) => entry.flatMap(encodeByTheBook))]
}

function head(major: number, argument: number): number[] {
  if (argument < 24) return [(major << 5) | argument]
  const width = [1, 2, 4, 8].find((bytes) => argument < 256 ** bytes) ?? 8
  const bytes = Array.from({ length: width }, (_, at) =>
    Number((BigInt(argument) >> BigInt(8 * (width - 1 - at))) & 255n),
  )
  return [(major << 5) | (24 + Math.log2(width)), ...bytes]
}

const unsigned = fc.oneof(
  fc.nat(),
  fc.maxSafeNat(),
  fc.constantFrom(23, 24, 255, 256, 65_535, 65_536, 0xffff_ffff, 0x1_0000_0000, Number.MAX_SAFE_INTEGER),
)
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: "small" },
    unsigned,
    fc.string({ unit: "grapheme" }),
    fc.uint8Array(),
    fc.boolean(),
    tie("list"),
    tie("map"),
  ),
  list: fc.array(tie("any"), { maxLength: 5 }),
  map: fc.dictionary(fc.string({ minLength: 1, unit: fc.constantFrom("a", "o", "é") }), tie("any"), {
    maxKeys: 5,
  }),
})).any

function wired(plain: unknown): unknown {
  if (typeof plain === "number") return wireInteger(plain)
  if (plain instanceof Uint8Array || typeof plain !== "object" || plain === null) return plain
  if (Array.isArray(plain)) return plain.map(wired)
  return Object.fromEntries(Object.entries(plain).map(([key, inner]) => [key, wired(inner)]))
}

test("values are encoded as RFC 8949 says: no tags, definite lengths, the shortest integers, bytes as bytes", () => {
  fc.assert(
    fc.property(value, (plain) => {
      expect([...encodeCbor(wired(plain))]).toEqual(encodeByTheBook(plain))
    }),
  )
})

test("what was encoded decodes to the same value", () => {
  fc.assert(
    fc.property(value, (plain) => {
      expect(decodeCbor(Uint8Array.from(encodeByTheBook(plain)))).toEqual(plain)
    }),
  )
})

test("later encodings leave earlier ones alone", () => {
  const messages = Array.from({ length: 2_000 }, (_, at) => ({ at, bytes: new Uint8Array(at % 97).fill(at) }))
  const encoded = messages.map(encodeCbor)
  expect(encoded.map((bytes) => [...bytes])).toEqual(messages.map(encodeByTheBook))
})

describe("refused as bad_message", () => {
  test.each([
    ["nothing", ""],
    ["a second item", "00 00"],
    ["a byte string that ends too early", "42 00"],
    ["a text that ends too early", "7b 00 1f ff ff ff ff ff ff 61"],
    ["a length that ends too early", "19 01"],
    ["an array that ends too early", "82 00"],
    ["an array of two thousand million items", "9a 7f ff ff ff"],
    ["an array of 2^63 items", "9b 80 00 00 00 00 00 00 00"],
    ["a map of two thousand million entries", "ba 7f ff ff ff 61 61 00"],
    ["a text of indefinite length", "7f 61 61 ff"],
    ["bytes of indefinite length", "5f 41 00 ff"],
    ["an array of indefinite length", "9f 00 ff"],
    ["a map of indefinite length", "bf 61 61 00 ff"],
    ["a lone break", "ff"],
    ["a reserved length", "1c"],
    ["tagged bytes", "d8 40 41 00"],
    ["a tagged error class", "d8 1b 83 65 45 72 72 6f 72 61 61 60"],
    ["a tagged time", "c1 1a 00 00 00 00"],
    ["an unassigned simple value", "f0"],
    ["a simple value of one byte", "f8 20"],
    ["seventeen nested arrays", "81".repeat(17) + "00"],
  ])("%s", (_, hex) => {
    expect(() => decodeCbor(fromHex(hex))).toThrow(expect.objectContaining({ code: "bad_message" }))
  })

  test("nested heads of large arrays, without allocating them", () => {
    const bomb = Uint8Array.from({ length: 60_000 }, (_, at) => [0x99, 0xff, 0xff][at % 3] ?? 0)
    const before = process.memoryUsage().rss
    expect(() => decodeCbor(bomb)).toThrow(AppError)
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024)
  })
})

test("arbitrary bytes are decoded or refused as bad_message, nothing else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        decodeCbor(bytes)
      } catch (error) {
        expect(error).toMatchObject({ code: "bad_message" })
      }
    }),
    { numRuns: 1_000 },
  )
})
