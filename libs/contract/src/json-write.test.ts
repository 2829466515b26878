import { describe, expect, test } from "vitest"
import { parseJsonObject, parseJsonWrite, takeBytes } from "./json-write.ts"
import { maxTtlMs } from "./limits.ts"

const encode = (text: string) => new TextEncoder().encode(text)

test.each([
  [{ text: "AT" }, "AT"],
  [{ text: "" }, ""],
  [{ text: "AT", eol: "crlf" }, "AT\r\n"],
  [{ hex: "4154", eol: "cr" }, "AT\r"],
  [{ base64: "QVQ=", eol: "lf" }, "AT\n"],
  [{ text: "é", eol: "none" }, "é"],
])("%j writes %j", (write, written) => {
  expect(parseJsonWrite(write)).toEqual({ bytes: encode(written) })
})

test.each([1, 250, maxTtlMs])("%d ms to live are handed on", (ttlMs) => {
  expect(parseJsonWrite({ text: "x", ttlMs })).toEqual({ bytes: encode("x"), ttlMs })
})

describe("is refused whole", () => {
  test.each([
    [{}, "bad_request"],
    [{ eol: "cr" }, "bad_request"],
    [{ text: "a", hex: "41" }, "bad_request"],
    [{ text: "a", eol: "constructor" }, "bad_request"],
    [{ text: "a", eol: 1 }, "bad_request"],
    [{ text: "a", ttlMs: 0 }, "bad_request"],
    [{ text: "a", ttlMs: 1.5 }, "bad_request"],
    [{ text: "a", ttlMs: "5" }, "bad_request"],
    [{ text: "a", ttlMs: maxTtlMs + 1 }, "bad_request"],
    [{ text: "a", ttl: 1 }, "bad_request"],
    [{ text: 5 }, "bad_request"],
    [{ hex: "4" }, "bad_hex"],
    [{ base64: "QVQ" }, "bad_request"],
  ])("%j with %s", (write, code) => {
    expect(() => parseJsonWrite(write)).toThrow(expect.objectContaining({ code }))
  })
})

test("what has no bytes keeps all of its members", () => {
  expect(takeBytes({ id: "1", eol: "cr" })).toEqual({ rest: { id: "1", eol: "cr" } })
  expect(takeBytes({ id: "1", text: "x", eol: "cr" })).toEqual({ bytes: encode("x\r"), rest: { id: "1" } })
})

test.each([
  ["{", "No JSON."],
  [Uint8Array.of(0x22, 0xff, 0x22), "No JSON."],
  ["[]", "Expected a JSON object."],
  [encode("null"), "Expected a JSON object."],
  ['"text"', "Expected a JSON object."],
])("%j is no JSON object", (json, message) => {
  expect(() => parseJsonObject(json, "No JSON.")).toThrow(
    expect.objectContaining({ code: "bad_request", message }),
  )
})
