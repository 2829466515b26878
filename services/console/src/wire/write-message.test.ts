import { AppError } from "@serialcast/contract"
import { expect, test } from "vitest"
import { parseWriteMessage } from "./write-message.ts"

const codeOf = (text: string) => {
  try {
    parseWriteMessage(text)
  } catch (error) {
    return error instanceof AppError ? error.code : error
  }
  return "accepted"
}

test.each([
  ['{"type":"write","text":"Grüße\\r"}', { bytes: new TextEncoder().encode("Grüße\r") }],
  ['{"type":"write","hex":"00ff"}', { bytes: Uint8Array.of(0, 255) }],
  ['{"type":"write","base64":"AP8="}', { bytes: Uint8Array.of(0, 255) }],
  ['{"type":"write","text":"AT","eol":"cr"}', { bytes: new TextEncoder().encode("AT\r") }],
  ['{"type":"write","text":""}', { bytes: new Uint8Array(0) }],
  ['{"type":"write","id":"a","ttlMs":50,"text":"x"}', { id: "a", ttlMs: 50, bytes: Uint8Array.of(0x78) }],
])("%s is a write", (text, message) => expect(parseWriteMessage(text)).toEqual(message))

test.each([
  ["not JSON", "ls\n"],
  ["JSON of another shape", "[1]"],
  ["another type", '{"type":"configure","text":"x"}'],
  ["no bytes", '{"type":"write"}'],
  ["bytes twice", '{"type":"write","text":"x","hex":"78"}'],
  ["bytes that are no string", '{"type":"write","text":7}'],
  ["a misspelt key", '{"type":"write","text":"x","ttl":50}'],
  ["an empty id", '{"type":"write","id":"","text":"x"}'],
  ["an id that is no string", '{"type":"write","id":7,"text":"x"}'],
  ["half a millisecond", '{"type":"write","ttlMs":0.5,"text":"x"}'],
])("%s is refused as a bad request", (_, text) => expect(codeOf(text)).toBe("bad_request"))

test("half a byte of hex is refused", () => expect(codeOf('{"type":"write","hex":"0"}')).toBe("bad_hex"))
