import { expect, test } from "vitest"
import { crumbsOf, parseFolder, pathIn, sizeText } from "./folder.ts"

const parse = (text: string) => parseFolder(new TextEncoder().encode(text))

test("a folder's document is read, whatever its names are", () => {
  const name = "<img src=x onerror=alert(1)>\u202e"
  const entries = [
    { name: "lib", kind: "directory", size: 0 },
    { name, kind: "file", size: 7 },
  ]
  expect(parse(JSON.stringify({ path: "/", entries }))).toEqual({ path: "/", entries, leftOut: 0 })
  expect(parse('{"path":"/","entries":[],"leftOut":3}').leftOut).toBe(3)
})

test.each([
  "",
  "nul",
  "null",
  "[]",
  "{}",
  '{"path":"x","entries":[]}',
  '{"path":"/","entries":{}}',
  '{"path":"/","entries":[null]}',
  '{"path":"/","entries":[{"name":"a","kind":"link","size":1}]}',
  '{"path":"/","entries":[{"name":"a","kind":"file","size":"1"}]}',
])("what is no document of a folder is a sentence: %s", (text) => {
  expect(() => parse(text)).toThrow("What came is no list of a folder.")
})

test("paths lead down and up", () => {
  expect(pathIn("/", "main.py")).toBe("/main.py")
  expect(pathIn("/lib/x", "main.py")).toBe("/lib/x/main.py")
  expect(crumbsOf("/")).toEqual([{ name: "/", path: "/" }])
  expect(crumbsOf("/lib/x").map(({ path }) => path)).toEqual(["/", "/lib", "/lib/x"])
})

test.each([
  [0, "0 B"],
  [1_023, "1023 B"],
  [1_024, "1.0 KiB"],
  [10_180, "9.9 KiB"],
  [10_200, "10 KiB"],
  [1_048_000, "1023 KiB"],
  [1_048_300, "1.0 MiB"],
  [52_428_800, "50 MiB"],
])("%d bytes are %s", (bytes, text) => {
  expect(sizeText(bytes)).toBe(text)
})
