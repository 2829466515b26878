import { chunkJoinUs, maxJoinedChunks } from "@serialcast/primitives"
import fc from "fast-check"
import { expect, test } from "vitest"
import { encodeCbor } from "./encode-cbor.ts"
import { maxChunkBytes, maxPayloadBytes } from "./limits.ts"
import {
  decodeStreamMessage,
  encodeStreamMessage,
  type ReadTime,
  type StreamMessage,
} from "./stream-message.ts"

const epoch = fc.stringMatching(/^[0-9a-f]{16}$/)
const count = fc.oneof(fc.nat(), fc.nat({ max: 10 }))
const place = fc.record({
  offset: fc.maxSafeNat().map((offset) => Math.max(0, offset - 100)),
  timeUs: fc.maxSafeNat(),
})
const text = fc.string({ unit: "grapheme" })
const chunk = fc
  .tuple(
    place,
    fc.uint8Array({ maxLength: 100 }),
    fc.option(fc.integer({ min: 1, max: 999_999_999 })),
    fc.array(fc.tuple(fc.nat(30), fc.maxSafeNat()), { maxLength: 5 }),
  )
  .map(([at, bytes, marks, steps]) => {
    const reads: ReadTime[] = []
    for (const [step, timeUs] of steps) {
      const offset = (reads.at(-1)?.offset ?? at.offset) + 1 + step
      if (offset < at.offset + bytes.byteLength) reads.push({ offset, timeUs })
    }
    return {
      ...at,
      bytes,
      ...(marks === null ? {} : { marks }),
      ...(reads.length === 0 ? {} : { reads }),
    }
  })
const n = fc.nat({ max: 999_999_998 })
const mark = fc.oneof(
  fc.record({ n, kind: fc.constant("opened" as const), open: fc.integer({ min: 1 }) }),
  fc.record({ n, kind: fc.constant("closed" as const), reason: text, open: fc.integer({ min: 1 }) }),
  fc.record({
    n,
    kind: fc.constant("refused" as const),
    id: text,
    by: text,
    code: fc.constantFrom("expired" as const, "aborted" as const),
    bytes: count,
  }),
)
const markRecord = fc.tuple(place, mark).map(([at, what]) => ({ ...at, mark: what }))
const message: fc.Arbitrary<StreamMessage> = fc.record({
  epoch,
  stream: fc.constantFrom("rx" as const, "tx" as const),
  record: fc.oneof(chunk, markRecord),
})

test("every message decodes to what was encoded", () => {
  fc.assert(
    fc.property(message, (sent) => {
      expect(decodeStreamMessage(encodeStreamMessage(sent))).toEqual(sent)
    }),
  )
})

test("the largest chunk, joined of as many as can be, fits into a payload", () => {
  const record = {
    offset: 2 ** 52,
    timeUs: 2 ** 52,
    bytes: new Uint8Array(maxChunkBytes),
    marks: 999_999_999,
    reads: Array.from({ length: maxJoinedChunks - 1 }, (_, n) => ({
      offset: 2 ** 52 + (n + 1) * 117,
      timeUs: 2 ** 52 + (n % 2) * chunkJoinUs,
    })),
  }
  const payload = encodeStreamMessage({ epoch: "f".repeat(16), stream: "rx", record })
  expect(payload.byteLength).toBeLessThanOrEqual(maxPayloadBytes)
})

test("bytes come as plain Uint8Arrays", () => {
  const record = { offset: 0, timeUs: 0, bytes: Uint8Array.of(1) }
  const decoded = decodeStreamMessage(encodeStreamMessage({ epoch: "0".repeat(16), stream: "rx", record }))
  expect(Object.getPrototypeOf("bytes" in decoded.record && decoded.record.bytes)).toBe(Uint8Array.prototype)
})

const whole = { e: "0123456789abcdef", s: "rx", o: 1, t: 2, b: Uint8Array.of(3) }

test("a field that is not known is ignored", () => {
  expect(decodeStreamMessage(encodeCbor({ ...whole, z: [1] })).record).toMatchObject({ offset: 1, timeUs: 2 })
})

test.each([
  ["no map", 7],
  ["an array", [whole]],
  ["no epoch", { ...whole, e: undefined }],
  ["an epoch in upper case", { ...whole, e: "0123456789ABCDEF" }],
  ["an epoch of 15 digits", { ...whole, e: "0123456789abcde" }],
  ["an unknown stream", { ...whole, s: "both" }],
  ["a negative offset", { ...whole, o: -1 }],
  ["half an offset", { ...whole, o: 0.5 }],
  ["an offset as text", { ...whole, o: "1" }],
  ["an offset of 2^53", { ...whole, o: 2 ** 53 }],
  ["bytes that end at 2^53", { ...whole, o: Number.MAX_SAFE_INTEGER }],
  ["a time beyond 2^53", { ...whole, t: 2 ** 60 }],
  ["neither bytes nor mark", { ...whole, b: undefined }],
  ["bytes as text", { ...whole, b: "3" }],
  ["bytes as an array", { ...whole, b: [3] }],
  ["a negative count of marks", { ...whole, n: -1 }],
  ["more marks than a cursor can tell", { ...whole, n: 1_000_000_000 }],
  ["a mark of a known kind without its fields", { ...whole, m: { n: 0, kind: "closed" } }],
  ["a mark without its number", { ...whole, m: { kind: "opened", open: 1 } }],
  [
    "a mark with a number that no cursor can tell",
    { ...whole, m: { n: 999_999_999, kind: "opened", open: 1 } },
  ],
])("%s is refused as bad_message", (_, wire) => {
  expect(() => decodeStreamMessage(encodeCbor(wire))).toThrow(
    expect.objectContaining({ code: "bad_message" }),
  )
})

test("truncated and bit-flipped payloads are decoded or refused as bad_message, nothing else", () => {
  fc.assert(
    fc.property(message, fc.nat(), fc.nat(), (sent, flip, cut) => {
      const payload = Uint8Array.from(encodeStreamMessage(sent))
      const bit = flip % (8 * payload.length)
      const flipped = payload.with(bit >> 3, payload[bit >> 3]! ^ (1 << (bit & 7)))
      for (const bytes of [flipped, payload.subarray(0, cut % payload.length)]) {
        try {
          encodeStreamMessage(decodeStreamMessage(bytes))
        } catch (error) {
          expect(error).toMatchObject({ code: "bad_message" })
        }
      }
    }),
    { numRuns: 1_000 },
  )
})

test.each([
  ["no list", 5],
  ["half a pair", [1]],
  ["a place before the bytes", [0, 1]],
  ["a place behind them", [3, 1]],
  ["a time before 1970", [1, -2]],
  ["no numbers", ["x", "y"]],
])("times of reads with %s are refused", (_title, r) => {
  const payload = encodeCbor({ e: "0".repeat(16), s: "rx", o: 0, t: 1, b: Uint8Array.of(1, 2, 3), r })
  expect(() => decodeStreamMessage(payload)).toThrow(expect.objectContaining({ code: "bad_message" }))
})
