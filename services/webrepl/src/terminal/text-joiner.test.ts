import { concatBytes } from "@serialcast/primitives"
import fc from "fast-check"
import { expect, test } from "vitest"
import { maxTextBytes, TextJoiner } from "./text-joiner.ts"

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const lenient = new TextDecoder("utf-8", { ignoreBOM: true })

test("however bytes are cut, each text is valid alone, and together they are what one decoder makes of them", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.uint8Array({ maxLength: 9 }), utf8Pieces())), (chunks) => {
      const joiner = new TextJoiner()
      const texts = [...chunks.flatMap((chunk) => joiner.push(chunk)), ...joiner.flush()]
      expect(texts.map((text) => strict.decode(text)).join("")).toBe(lenient.decode(concatBytes(chunks)))
    }),
  )
})

/** Pieces of real texts, cut inside of characters. */
function utf8Pieces() {
  return fc.tuple(fc.string({ unit: "grapheme" }), fc.nat(), fc.nat()).map(([text, from, to]) => {
    const bytes = new TextEncoder().encode(text)
    return bytes.subarray(from % (bytes.byteLength + 1), to % (bytes.byteLength + 1))
  })
}

test("a character that is cut comes with its last byte, and what cannot become one at once", () => {
  const joiner = new TextJoiner()
  const push = (...bytes: number[]) =>
    joiner
      .push(Uint8Array.from(bytes))
      .map((text) => strict.decode(text))
      .join("|")
  expect([push(0x41, 0xe2), push(0x82), push(0xac)]).toEqual(["A", "", "€"])
  expect([push(0x80), push(0xff), push(0xe2, 0x82, 0x41)]).toEqual(["\ufffd", "\ufffd", "\ufffdA"])
  expect([push(0xf0, 0x9f), joiner.isHolding]).toEqual(["", true])
  expect(joiner.flush().map((text) => strict.decode(text))).toEqual(["\ufffd"])
  expect(joiner.isHolding).toBe(false)
})

test("long output is cut into texts of bounded size, at characters", () => {
  const joiner = new TextJoiner()
  const output = new TextEncoder().encode(`a${"€".repeat(20_000)}`)
  const texts = joiner.push(output)
  expect(Math.max(...texts.map(({ byteLength }) => byteLength))).toBeLessThanOrEqual(maxTextBytes)
  expect(texts.map((text) => strict.decode(text)).join("")).toBe(`a${"€".repeat(20_000)}`)
  // Three bytes for each that is none.
  const replaced = joiner.push(new Uint8Array(60_000).fill(0xff))
  expect(Math.max(...replaced.map(({ byteLength }) => byteLength))).toBeLessThanOrEqual(maxTextBytes)
})
