import fc from "fast-check"
import { expect, test } from "vitest"
import { createLineSplitter } from "./line-splitter.ts"

const ascii = (text: string) => new TextEncoder().encode(text)
const splitter = (maxLength = 1024) => createLineSplitter({ maxLength })

test("LF ends a line and is removed; CR stays", () => {
  expect(splitter().push(ascii("one\ntwo\r\n\nrest"))).toEqual(["one", "two\r", ""])
})

test("a text with its lines comes out the same at every split point", () => {
  const bytes = ascii("temp 21 °C\r\n\n🙂 ok\nlogin: ")
  for (let at = 0; at <= bytes.length; at++) {
    const lines = splitter()
    const got = [...lines.push(bytes.subarray(0, at)), ...lines.push(bytes.subarray(at)), ...lines.end()]
    expect(got).toEqual(["temp 21 °C\r", "", "🙂 ok", "login: "])
  }
})

test("a flushed line does not come again", () => {
  const lines = splitter()
  expect(lines.push(ascii("login: "))).toEqual([])
  expect(lines.flush()).toEqual(["login: "])
  expect(lines.flush()).toEqual([])
  expect(lines.push(ascii("root\n"))).toEqual(["root"])
})

test("a flush leaves a character that is cut in half for its rest", () => {
  const lines = splitter()
  const [first, ...rest] = ascii("é")
  expect(lines.push(Uint8Array.of(0x61, first ?? 0))).toEqual([])
  expect(lines.flush()).toEqual(["a"])
  expect(lines.push(Uint8Array.of(...rest, 0x0a))).toEqual(["é"])
})

test("bytes that are not UTF-8 become U+FFFD", () => {
  expect(splitter().push(Uint8Array.of(0x61, 0xff, 0x62, 0x0a))).toEqual(["a\uFFFDb"])
  const lines = splitter()
  lines.push(Uint8Array.of(0xe2, 0x82))
  expect(lines.end()).toEqual(["\uFFFD"])
})

test("a byte order mark is passed on", () => expect(splitter().push(ascii("\uFEFFa\n"))).toEqual(["\uFEFFa"]))

test("a device that never sends LF comes in pieces that lose nothing and cut no character", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", minLength: 1 }),
      fc.integer({ min: 2, max: 9 }),
      (text, maxLength) => {
        const line = text.replaceAll("\n", "")
        const lines = splitter(maxLength)
        const pieces = [...lines.push(ascii(line)), ...lines.end()]
        expect(pieces.join("")).toBe(line)
        for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(maxLength)
      },
    ),
  )
})

test("a line of exactly the longest length is one piece", () => {
  expect(splitter(4).push(ascii("abcd\nabcde\n"))).toEqual(["abcd", "abcd", "e"])
})
