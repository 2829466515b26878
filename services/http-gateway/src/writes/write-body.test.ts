import { maxWriteBytes } from "@serialcast/contract"
import { describe, expect, test } from "vitest"
import { parseWrite } from "./write-body.ts"

const encode = (text: string) => new TextEncoder().encode(text)
const json = (body: unknown) => parseWrite("application/json; charset=utf-8", encode(JSON.stringify(body)))

test("a body of any other type is the bytes as they are", () => {
  const body = encode('{"text":"x"}')
  expect(parseWrite("text/plain", body).bytes).toEqual(body)
  expect(parseWrite(undefined, body).bytes).toEqual(body)
})

test.each([
  [{ text: "AT" }, "AT"],
  [{ text: "AT", eol: "crlf" }, "AT\r\n"],
  [{ hex: "4154", eol: "cr" }, "AT\r"],
  [{ base64: "QVQ=", eol: "lf" }, "AT\n"],
  [{ text: "é", eol: "none" }, "é"],
])("%j writes %j", (body, expected) => {
  expect(json(body).bytes).toEqual(encode(expected))
})

test("the time to live is handed on", () => {
  expect(json({ text: "x", ttlMs: 250 }).ttlMs).toBe(250)
})

describe("is refused whole", () => {
  test.each([
    [{}, "bad_request"],
    [{ text: "a", hex: "41" }, "bad_request"],
    [{ text: "a", eol: "constructor" }, "bad_request"],
    [{ text: "a", eol: 1 }, "bad_request"],
    [{ text: "a", ttlMs: 0 }, "bad_request"],
    [{ text: "a", ttlMs: 1.5 }, "bad_request"],
    [{ text: "a", tll: 1 }, "bad_request"],
    [{ text: 5 }, "bad_request"],
    [{ hex: "4" }, "bad_hex"],
    [{ base64: "QVQ" }, "bad_request"],
    [[], "bad_request"],
    [null, "bad_request"],
  ])("%j with %s", (body, code) => {
    expect(() => json(body)).toThrow(expect.objectContaining({ code }))
  })

  test("what is not JSON, or not UTF-8", () => {
    const refused = expect.objectContaining({ code: "bad_request" })
    expect(() => parseWrite("application/json", encode("{"))).toThrow(refused)
    expect(() => parseWrite("application/json", Uint8Array.of(0x22, 0xff, 0x22))).toThrow(refused)
  })

  test("one byte more than a write may carry", () => {
    expect(parseWrite("", new Uint8Array(maxWriteBytes)).bytes.byteLength).toBe(maxWriteBytes)
    expect(() => parseWrite("", new Uint8Array(maxWriteBytes + 1))).toThrow(
      expect.objectContaining({ code: "too_large" }),
    )
  })
})
