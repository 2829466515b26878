import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { decodeCbor } from "./decode-cbor.ts"
import { encodeCbor } from "./encode-cbor.ts"
import { AppError } from "./errors.ts"

const fromHex = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"))

/** RFC 8949 §3 by the letter, for the types of the profile. */
function encodeByTheBook(value: unknown): number[] {
  if (value === false || value === true || value === null)
    return [value === null ? 0xf6 : value ? 0xf5 : 0xf4]
  if (typeof value === "number") return value < 0 ? head(1, -1 - value) : head(0, value)
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

const edges = [
  0,
  23,
  24,
  255,
  256,
  65_535,
  65_536,
  0xffff_ffff,
  0x1_0000_0000,
  5_000_000_000,
  Number.MAX_SAFE_INTEGER,
]
const integer = fc.oneof(
  fc.nat(),
  fc.maxSafeInteger(),
  fc.constantFrom(...edges, ...edges.map((edge) => (edge === Number.MAX_SAFE_INTEGER ? -edge : -1 - edge))),
)
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: "small" },
    integer,
    fc.constant(null),
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: "grapheme", minLength: 60, maxLength: 70 }),
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

test("values are encoded as RFC 8949 says: no tags, definite lengths, the shortest integers, bytes as bytes", () => {
  fc.assert(
    fc.property(value, (plain) => {
      expect([...encodeCbor(plain)]).toEqual(encodeByTheBook(plain))
    }),
  )
})

test("what was encoded decodes to the same value, integers as numbers", () => {
  fc.assert(
    fc.property(value, (plain) => {
      expect(decodeCbor(Uint8Array.from(encodeByTheBook(plain)))).toEqual(plain)
    }),
  )
})

test("numbers that are no safe integers are float64", () => {
  for (const number of [0.5, -1e300, 2 ** 53, -(2 ** 53), Number.POSITIVE_INFINITY]) {
    const float = Buffer.alloc(9, 0xfb)
    float.writeDoubleBE(number, 1)
    expect([...encodeCbor([number])]).toEqual([0x81, ...float])
    expect(decodeCbor(encodeCbor([number]))).toEqual([number])
  }
})

test("half a surrogate pair becomes U+FFFD, as in every other UTF-8", () => {
  for (const text of ["\ud800", "a\udc00", "\ud800\ud83d\ude00", "x".repeat(70) + "\ud83d"]) {
    const utf8 = new TextEncoder().encode(text)
    expect([...encodeCbor(text)]).toEqual([...head(3, utf8.length), ...utf8])
  }
})

test("in a map, what is undefined is left out", () => {
  expect([...encodeCbor({ a: undefined, b: 1 })]).toEqual(encodeByTheBook({ b: 1 }))
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
    ["a text that is no UTF-8", "61 ff"],
    ["a long text that is no UTF-8", "78 28 ff" + "61".repeat(39)],
    ["a key that is no text", "a1 00 00"],
    ["a key that is bytes", "a1 41 61 00"],
    ["a float that ends too early", "fb 00"],
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

test.each([
  ["f9 00 00", 0],
  ["f9 3c 00", 1],
  ["f9 c4 00", -4],
  ["f9 7b ff", 65_504],
  ["f9 00 01", 2 ** -24],
  ["f9 7c 00", Number.POSITIVE_INFINITY],
  ["f9 7e 00", Number.NaN],
  ["fa 47 c3 50 00", 100_000],
  ["fb c0 10 66 66 66 66 66 66", -4.1],
  ["f6", null],
  ["f7", undefined],
])("%s of RFC 8949, appendix A, is %s", (hex, number) => {
  expect(decodeCbor(fromHex(hex))).toBe(number)
})

test("a key that would change what an object is does not", () => {
  const decoded = decodeCbor(encodeCbor(JSON.parse('{"__proto__": {"isAdmin": true}, "a": 1}')))
  expect(decoded).toEqual({ a: 1 })
  expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype)
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
