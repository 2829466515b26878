import { maxWriteBytes } from "@serialcast/contract"
import { expect, test } from "vitest"
import { parseWriteBody } from "./write-body.ts"

const encode = (text: string) => new TextEncoder().encode(text)
const refused = (code: string) => expect.objectContaining({ code })

test("a body of any other type is the bytes as they are", () => {
  const body = encode('{"text":"x"}')
  expect(parseWriteBody("text/plain", body)).toEqual({ bytes: body })
  expect(parseWriteBody(undefined, body)).toEqual({ bytes: body })
})

test("a body of JSON says what to write", () => {
  const body = encode(JSON.stringify({ text: "AT", eol: "cr", ttlMs: 250 }))
  expect(parseWriteBody("application/JSON; charset=utf-8", body)).toEqual({
    bytes: encode("AT\r"),
    ttlMs: 250,
  })
})

test.each(["{", "[]", '{"text":"a","tll":1}', '"\xff"'])("%j with the type of JSON is refused", (text) => {
  const body = Uint8Array.from(text, (letter) => letter.charCodeAt(0))
  expect(() => parseWriteBody("application/json", body)).toThrow(refused("bad_request"))
})

test("one byte more than a write may carry is refused", () => {
  expect(parseWriteBody("", new Uint8Array(maxWriteBytes)).bytes.byteLength).toBe(maxWriteBytes)
  const tooLong = new Uint8Array(maxWriteBytes + 1)
  expect(() => parseWriteBody("", tooLong)).toThrow(refused("too_large"))
  const inJson = encode(JSON.stringify({ text: "x".repeat(maxWriteBytes), eol: "lf" }))
  expect(() => parseWriteBody("application/json", inJson)).toThrow(refused("too_large"))
})
