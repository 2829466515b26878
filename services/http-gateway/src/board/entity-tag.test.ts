import { describe, expect, test } from "vitest"
import { entityTag, hasConditions, judgeConditions } from "./entity-tag.ts"

const tag = entityTag({ algorithm: "sha256", hex: "00ff" })

test("a tag is strong, and has algorithm and hash", () => {
  expect(tag).toBe('"sha256-00ff"')
})

describe("of a file as it is", () => {
  test.each([
    ["GET", {}, "go on"],
    ["GET", { "if-none-match": tag }, "not modified"],
    ["HEAD", { "if-none-match": `"other", W/${tag}` }, "not modified"],
    ["GET", { "if-none-match": "*" }, "not modified"],
    ["GET", { "if-none-match": '"other"' }, "go on"],
    ["GET", { "if-match": tag }, "go on"],
    ["PUT", { "if-match": `"other", ${tag}` }, "go on"],
    ["PUT", { "if-match": "*" }, "go on"],
    ["PUT", { "if-none-match": '"other"' }, "go on"],
    ["DELETE", { "if-match": '"other"' }, "If-Match"],
    // RFC 9110 §13.1.1: compared strongly, so that a weak one is none.
    ["PUT", { "if-match": `W/${tag}` }, "If-Match"],
    ["PUT", { "if-none-match": tag }, "If-None-Match"],
    ["PUT", { "if-none-match": "*" }, "If-None-Match"],
    ["GET", { "if-match": '"other"', "if-none-match": tag }, "If-Match"],
  ])("%s with %j: %s", (method, headers, outcome) => {
    const judge = () => judgeConditions({ method, headers }, tag)
    if (outcome.startsWith("If-")) expect(judge).toThrow(`${outcome}: the file is ${tag}.`)
    else expect(judge()).toBe(outcome)
    expect(hasConditions({ headers })).toBe(Object.keys(headers).length > 0)
  })
})

describe("of no file", () => {
  test("what is to be new goes on, what is to be there does not", () => {
    expect(judgeConditions({ method: "PUT", headers: { "if-none-match": "*" } }, null)).toBe("go on")
    for (const wanted of ["*", tag])
      expect(() => judgeConditions({ method: "PUT", headers: { "if-match": wanted } }, null)).toThrow(
        expect.objectContaining({ code: "precondition_failed" }),
      )
  })
})
