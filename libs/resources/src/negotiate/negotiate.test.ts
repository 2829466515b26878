import { expect, test } from "vitest"
import { accepts } from "./accept.ts"
import { includesTag, parseEntityTags, strongCondition, weakCondition } from "./entity-tag.ts"
import { parseMediaType } from "./media-type.ts"

test("a media type is read without regard to case, with its parameters", () => {
  expect(parseMediaType(' Text/HTML ; Charset="utf-8";a=b; ;a=c ')).toEqual({
    type: "text",
    subtype: "html",
    parameters: new Map([
      ["charset", "utf-8"],
      ["a", "b"],
    ]),
  })
  expect(parseMediaType('a/b;c="\\"d;\\\\"')?.parameters.get("c")).toBe('"d;\\')
})

test.each([
  "",
  "text",
  "text/",
  "/plain",
  "text/plain/x",
  "text /plain",
  "*/*",
  "text/*",
  "text/plain;charset",
  "text/plain;charset=",
  'text/plain;a="b',
  "text/plain, text/html",
  "text/plain\r\nX: y",
  "text/plain;a=\u00fc",
  `text/${"a".repeat(251)}`,
])("%j is no media type", (text) => {
  expect(parseMediaType(text)).toBeUndefined()
})

test.each<[string | undefined, boolean]>([
  [undefined, true],
  ["", true],
  [",", true],
  ["*/*", true],
  ["text/*", true],
  ["TEXT/plain", true],
  ["text/html, text/plain", true],
  ["text/html", false],
  ["application/*", false],
  ["text/plain;q=0", false],
  ["text/plain;q=0.0, */*", false],
  ["*/*;q=0", false],
  ["*/*;q=0, text/plain;q=0.001", true],
  ["text/*;q=0, */*", false],
  ["text/plain;q=0, text/plain", true],
  ["text/plain;charset=UTF-8", true],
  ["text/plain;charset=latin1", false],
  ["text/plain;charset=latin1;q=0, text/plain", true],
  ["text/plain;charset=utf-8;q=0, text/plain", false],
  ["text/plain;format=flowed", false],
  ['text/html;x="a,text/plain"', false],
  // What is no range says nothing, and leaves the others their word.
  ["text/html, ???, text/plain;q=2", false],
  ["text", true],
  ["*/plain", true],
  ['text/html;x="', true],
])("Accept %j on text/plain;charset=utf-8: %s", (header, isAccepted) => {
  const mediaType = parseMediaType("text/plain; charset=utf-8")
  expect(mediaType && accepts(header, mediaType)).toBe(isAccepted)
})

test("a charset that is asked for is not missed in a type that has none", () => {
  const json = parseMediaType("application/json")!
  expect(accepts("application/json; charset=utf-8", json)).toBe(true)
  expect(accepts("application/json; version=2", json)).toBe(false)
})

test.each([
  ['"a"', ["a"], ["a"]],
  ['"a" , W/"b",,"c,d"', ["a", "c,d"], ["a", "b", "c,d"]],
  ['W/"a"', [], ["a"]],
  ['""', [""], [""]],
  ['"\u00fc"', [], []],
  [" * ", "*", "*"],
])("%s is a list of entity tags", (header, strong, weak) => {
  const tags = parseEntityTags(header)
  expect([strongCondition(tags), weakCondition(tags)]).toEqual([strong, weak])
})

test.each(["", ",", "a", '"a', 'w/"a"', '"a" "b"', '*, "a"', '"a b"'])(
  "%j is no list of entity tags",
  (header) => {
    expect(parseEntityTags(header)).toBeUndefined()
  },
)

test("no header is no condition, and a list of none is one that nothing meets", () => {
  expect([strongCondition(undefined), weakCondition(undefined)]).toEqual([null, null])
  expect([
    includesTag(null, "a"),
    includesTag([], "a"),
    includesTag("*", "a"),
    includesTag(["a"], "a"),
  ]).toEqual([false, false, true, true])
})

test("headers of 100,000 characters, made to be read again and again, are read at once", () => {
  const long = 100_000
  const plain = parseMediaType("text/plain")!
  for (const text of [`a/b${" ".repeat(long)}x`, `a/b${";".repeat(long)}x`, `a/b;c="${"\\".repeat(long)}`]) {
    expect(parseMediaType(text)).toBeUndefined()
    accepts(text, plain)
  }
  accepts('"'.repeat(long), plain)
  accepts("a/b,".repeat(long), plain)
  parseEntityTags(`${" ".repeat(long)}x`)
  expect(parseEntityTags(`${'"a",'.repeat(long)}x`)).toBeUndefined()
})
