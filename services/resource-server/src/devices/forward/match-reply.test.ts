import { expect, test } from "vitest"
import { matchReply } from "./match-reply.ts"

const encode = (text: string) => new TextEncoder().encode(text)

test("the answer is the first group, or the line where there is none", () => {
  expect(matchReply(/^led (.*)$/, encode('led {"on":true}'))).toEqual(encode('{"on":true}'))
  expect(matchReply(/^led (.*)$/, encode("led "))).toEqual(encode(""))
  expect(matchReply(/^led|(off)$/, Uint8Array.of(...encode("led "), 0xff))).toEqual(
    Uint8Array.of(...encode("led "), 0xff),
  )
  expect(matchReply(/^led (.*)$/, encode("LED on"))).toBeNull()
})

test("a line that is too long is none, whatever the pattern", () => {
  expect(matchReply(/x/, encode("x".repeat(4_096)))).not.toBeNull()
  expect(matchReply(/x/, encode("x".repeat(4_097)))).toBeNull()
})

test("a pattern that would take for ever is given up, and the next one is not", () => {
  const line = encode("a".repeat(4_000))
  expect(() => matchReply(/^(a+)+b$/, line)).toThrow(expect.objectContaining({ code: "device_silent" }))
  expect(matchReply(/^(a)/, line)).toEqual(encode("a"))
})
