import { expect, test } from "vitest"
import { parseOwnLine } from "./own-line.ts"

const encode = (text: string) => new TextEncoder().encode(text)
const options = { prefix: "@res", below: "/devices/local/uno" }
const parse = (line: string) => parseOwnLine(encode(line), options)

test.each([
  ['@res /temp application/json {"c": 21.5}', "/temp", "application/json", '{"c": 21.5}'],
  ["@res /a/b text/plain;charset=utf-8  two  spaces ", "/a/b", "text/plain;charset=utf-8", " two  spaces "],
  ["@res /temp 21.5", "/temp", "text/plain", "21.5"],
  ["@res /temp 1/2 full", "/temp", "text/plain", "1/2 full"],
  ["@res /temp n/a", "/temp", "text/plain", "n/a"],
  ["@res /temp text/plain", "/temp", "text/plain", ""],
  ["@res /temp text/plain text/plain", "/temp", "text/plain", "text/plain"],
  ["@res /temp ", "/temp", "text/plain", ""],
  ["@res /größe%20 1", "/größe%20", "text/plain", "1"],
])("%s sets %s", (line, own, contentType, value) => {
  expect(parse(line)).toEqual({
    kind: "set",
    uri: `/devices/local/uno${own}`,
    contentType,
    value: encode(value),
  })
})

test("a minus before the URI takes the resource away", () => {
  expect(parse("@res -/temp")).toEqual({ kind: "remove", uri: "/devices/local/uno/temp" })
})

test("bytes that are no text are a value too", () => {
  const line = Uint8Array.of(...encode("@res /raw image/png "), 0xff, 0, 0x20)
  expect(parseOwnLine(line, options)).toMatchObject({
    contentType: "image/png",
    value: Uint8Array.of(0xff, 0, 0x20),
  })
})

test.each([
  "@res",
  "@res ",
  "@res /temp",
  "@res temp 1",
  "@res / 1",
  "@res /temp/ 1",
  "@res /a//b 1",
  "@res /../../../temp 1",
  "@res /a\tb 1",
  "@res -/temp 1",
  "@res --/temp",
  "@res /tx 1",
  "@res -/last-line",
  `@res /${"x".repeat(500)} 1`,
])("%j is none, and says why", (line) => {
  expect(parse(line)).toEqual({ kind: "bad", why: expect.stringMatching(/\.|…$/) })
})

test.each(["", "@resource /temp 1", " @res /temp 1", "say @res /temp 1", "@RES /temp 1", "\ufffd"])(
  "%j is about something else",
  (line) => expect(parse(line)).toBeUndefined(),
)
