import { expect, test } from "vitest"
import { OwnWords } from "./own-words.ts"

const topic = "serialcast/local/uno/state"
const bytes = (text: string) => new TextEncoder().encode(text)

test("what was said is heard as one's own, once or again, and everything else is somebody else's", () => {
  const words = new OwnWords()
  expect(words.isForeign(topic, bytes("before"))).toBe(true)
  for (const text of ["a", "b", "c"]) words.said(topic, bytes(text))
  expect(["a", "b", "b", "c", "c"].map((text) => words.isForeign(topic, bytes(text)))).toEqual(
    Array(5).fill(false),
  )
  expect(["", "a", "d"].map((text) => words.isForeign(topic, bytes(text)))).toEqual([true, true, true])
  expect(words.isForeign("serialcast/local/nano/state", bytes("c"))).toBe(true)
})

test("a withdrawal of one's own is none of others", () => {
  const words = new OwnWords()
  words.said(topic, bytes("a"))
  words.said(topic, new Uint8Array(0))
  expect(words.isForeign(topic, bytes("a"))).toBe(false)
  expect(words.isForeign(topic, new Uint8Array(0))).toBe(false)
  expect(words.isForeign(topic, bytes("a"))).toBe(true)
})

test("what nobody hears is bounded, and is over with the connection", () => {
  const words = new OwnWords()
  for (let n = 0; n < 1_000; n++) words.said(topic, bytes(`${n}`))
  expect([words.isForeign(topic, bytes("0")), words.isForeign(topic, bytes("999"))]).toEqual([true, false])
  words.forget()
  expect(words.isForeign(topic, bytes("999"))).toBe(true)
})
