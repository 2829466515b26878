import { concatBytes } from "@serialcast/primitives"
import { expect, test } from "vitest"
import { hex, segmentations } from "../testing/test-segments.ts"
import { ReturnFilter } from "./return-filter.ts"

test.each([
  ["61 0d 00 62", "61 0d 62"],
  ["0d 00 0d 00", "0d 0d"],
  ["0d 0d 00", "0d 0d"],
  ["0d 00 00", "0d 00"],
  ["00 61 00", "00 61 00"],
  ["0d 0a 00", "0d 0a 00"],
  ["61 62", "61 62"],
])("%j is %j, wherever it is cut", (sent, expected) => {
  for (const segments of segmentations(hex(sent))) {
    const filter = new ReturnFilter()
    expect(concatBytes(segments.map((segment) => filter.filter(segment)))).toEqual(hex(expected))
  }
})

test("a return at the end of a segment is not held back", () => {
  const filter = new ReturnFilter()
  expect(filter.filter(hex("61 0d"))).toEqual(hex("61 0d"))
  expect(filter.filter(hex("00"))).toEqual(hex(""))
})

test("text without NUL is the same array", () => {
  const text = hex("61 0d 0a")
  expect(new ReturnFilter().filter(text)).toBe(text)
})

test("a NUL after binary data is data", () => {
  const filter = new ReturnFilter()
  filter.filter(hex("0d"))
  filter.reset()
  expect(filter.filter(hex("00"))).toEqual(hex("00"))
})
