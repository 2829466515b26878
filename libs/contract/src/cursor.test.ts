import fc from "fast-check"
import { expect, test } from "vitest"
import { formatCursor, formatStartPoint, parseCursor, parseStartPoint, type StartPoint } from "./cursor.ts"

const cursor = fc.record({
  epoch: fc.stringMatching(/^[0-9a-f]{16}$/),
  offset: fc.oneof(fc.nat(), fc.maxSafeNat()),
  mark: fc.oneof(fc.constant(0), fc.nat({ max: 999_999_999 })),
})
const start: fc.Arbitrary<StartPoint> = fc.oneof(
  fc.constantFrom({ kind: "now" as const }, { kind: "start" as const }),
  fc.record({ kind: fc.constant("cursor" as const), cursor }),
  fc.record({
    kind: fc.constant("last" as const),
    bytes: fc.maxSafeNat().map((bytes) => Math.max(1, bytes)),
  }),
  fc.record({ kind: fc.constant("time" as const), timeUs: fc.maxSafeNat() }),
)

test("every cursor is read as what was written", () => {
  fc.assert(
    fc.property(cursor, (place) => {
      expect(parseCursor(formatCursor(place))).toEqual(place)
    }),
  )
})

test("every start point is read as what was written, times to the microsecond", () => {
  fc.assert(
    fc.property(start, (point) => {
      expect(parseStartPoint(formatStartPoint(point))).toEqual(point)
    }),
  )
})

test("arbitrary text is a start point or refused as bad_cursor", () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom("0", "1", "2", "9", "a", "f", "T", "Z", ":", "+", "-", ".", " ") }),
  )
  fc.assert(
    fc.property(text, (some) => {
      try {
        parseStartPoint(some)
      } catch (error) {
        expect(error).toMatchObject({ code: "bad_cursor" })
      }
    }),
  )
})

test("a refusal does not repeat more than a line of what was sent", () => {
  expect(() => parseStartPoint("\0".repeat(60_000))).toThrow(
    expect.objectContaining({ message: expect.stringMatching(/^.{1,600}$/) }),
  )
})
