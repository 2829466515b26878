import { expect, test } from "vitest"
import { parseMark } from "./mark.ts"

test("a mark of a kind that a later version has is told by its name", () => {
  expect(parseMark({ n: 3, kind: "painted", color: "red" })).toEqual({ n: 3, kind: "other", name: "painted" })
})

test.each([
  ["a known kind without its fields", { n: 0, kind: "opened" }],
  ["no kind", { n: 0 }],
  ["no number", { kind: "painted" }],
  ["a negative number", { n: -1, kind: "overrun" }],
  ["null", null],
])("%s is no mark", (_, wire) => {
  expect(() => parseMark(wire)).toThrow(expect.objectContaining({ code: "bad_message" }))
})
