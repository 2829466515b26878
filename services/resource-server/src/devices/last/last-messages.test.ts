import { expect, test } from "vitest"
import { LastMessages } from "./last-messages.ts"

const encode = (text: string) => new TextEncoder().encode(text)

function message(bytes: Uint8Array, offset: number, isCut = false) {
  const cursor = { epoch: "00000000000000aa", offset, mark: 0 }
  return { kind: "message", cursor, offset: 0, timeUs: 1, bytes, isCut } as const
}

test("the newest whole message counts, and of JSON the newest that is some", () => {
  const last = new LastMessages()
  expect([last.get("line"), last.get("json")]).toEqual([null, null])
  const said = ['{"a":1}', "[1", "{", " 21.5 ", "nan", "text"]
  for (const [at, text] of said.entries()) expect(last.take(message(encode(text), at))).toBe(true)
  expect(last.get("line")).toMatchObject({ bytes: encode("text"), cursor: { offset: 5 } })
  expect(last.get("json")).toMatchObject({ bytes: encode(" 21.5 "), cursor: { offset: 3 } })
})

test("what is cut, empty, a mark or no text changes nothing, or no JSON", () => {
  const last = new LastMessages()
  last.take(message(encode("1"), 1))
  expect(last.take(message(encode("2"), 2, true))).toBe(false)
  expect(last.take(message(encode(""), 3))).toBe(false)
  expect(last.take({ kind: "positioned", cursor: null })).toBe(false)
  expect(last.take(message(Uint8Array.of(0x22, 0xff, 0x22), 4))).toBe(true)
  expect(last.get("json")).toMatchObject({ bytes: encode("1") })
})
