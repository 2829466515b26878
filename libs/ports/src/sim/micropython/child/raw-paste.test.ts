import { expect, test } from "vitest"
import { RawPaste, type RawPasteStep } from "./raw-paste.ts"

/** The replies to these bytes as text, and the last step. */
function push(paste: RawPaste, text: string): { replies: string; last: RawPasteStep | undefined } {
  const steps = Array.from(text, (key) => paste.push(key.charCodeAt(0)))
  return { replies: steps.map(({ reply }) => String.fromCharCode(...reply)).join(""), last: steps.at(-1) }
}

test("tells its window, and each window that was taken; the end has the source", () => {
  const paste = new RawPaste(4)
  expect(paste.greeting).toEqual(Uint8Array.of(0x52, 1, 4, 0, 1))
  expect(push(paste, "abc").replies).toBe("")
  expect(push(paste, "d").replies).toBe("\x01")
  expect(push(paste, "efgh\x01\x02").replies).toBe("\x01")
  const { replies, last } = push(paste, "\x04")
  expect(replies).toBe("\x04")
  expect(last?.end).toEqual({ kind: "source", source: new TextEncoder().encode("abcdefgh\x01\x02") })
})

test("Ctrl-C leaves it", () => {
  expect(push(new RawPaste(4), "ab\x03")).toEqual({
    replies: "\x04",
    last: { reply: Uint8Array.of(4), end: { kind: "interrupted" } },
  })
})

test("more source than a board has memory for is given up, and what follows goes nowhere until its end", () => {
  const paste = new RawPaste(512 * 1024 + 1)
  expect(push(paste, "x".repeat(512 * 1024)).replies).toBe("")
  expect(push(paste, "xyz")).toEqual({ replies: "\x04", last: { reply: new Uint8Array() } })
  expect(push(paste, "\x04").last).toEqual({ reply: new Uint8Array(), end: { kind: "tooLarge" } })
})
