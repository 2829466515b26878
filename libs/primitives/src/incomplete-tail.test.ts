import fc from "fast-check"
import { expect, test } from "vitest"
import { incompleteTail } from "./incomplete-tail.ts"

test("cutting any text anywhere leaves exactly the split character in the tail", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.nat(), (text, at) => {
      const whole = new TextEncoder().encode(text)
      const cut = whole.subarray(0, at % (whole.byteLength + 1))
      const complete = cut.subarray(0, cut.byteLength - incompleteTail(cut))
      const decoded = new TextDecoder("utf-8", { ignoreBOM: true }).decode(complete)
      expect(new TextDecoder("utf-8", { ignoreBOM: true }).decode(whole).startsWith(decoded)).toBe(true)
    }),
  )
})

test.each([
  ["bytes that begin nothing", [0x80, 0xbf, 0xff], 0],
  ["an overlong lead", [0xc0], 0],
  ["a lead above U+10FFFF", [0xf5, 0x80], 0],
  ["three of four", [0xf0, 0x9f, 0x98], 3],
  ["a lead alone", [0x41, 0xe2], 1],
  ["nothing", [], 0],
])("%s", (_what, bytes, expected) => {
  expect(incompleteTail(Uint8Array.from(bytes))).toBe(expected)
})
