import { expect, test } from "vitest"
import { ReplWatch } from "./repl-watch.ts"

const rawBanner = "\r\nraw REPL; CTRL-B to exit\r\n>"

/** One that saw these bytes; the interpreter answers the last of them. */
function watchOf(keys: string, answer = "", watch = new ReplWatch()): ReplWatch {
  for (const [at, key] of Array.from(keys).entries())
    watch.passed(key.charCodeAt(0), at === keys.length - 1 ? answer : "")
  return watch
}

test("the mode is raw when Ctrl-A made it so, not when it was a cursor key", () => {
  expect(watchOf("\x01", rawBanner).isRaw).toBe(true)
  expect(watchOf("ab\x01", "\x1b[2D").isRaw).toBe(false)
  expect(watchOf("\x02", "", watchOf("\x01", rawBanner)).isRaw).toBe(false)
})

test.each([
  ["right after the prompt", "\x05A", true],
  ["after a program", "print(1)\x04\x05A", true],
  ["after a cleared line", "ab\x03\x05A", true],
  ["not in the middle of a line", "x\x05A", false],
  ["not when it is another command", "\x05B", false],
  ["not when more follows", "\x05AA", false],
])("05 41 01 asks for raw-paste %s", (_when, keys, isAsked) => {
  const watch = watchOf(keys, "", watchOf("\x01", rawBanner))
  expect(watch.asksForRawPaste(1)).toBe(isAsked)
  expect(watch.asksForRawPaste(2)).toBe(false)
})

test("in friendly mode nothing asks for raw-paste", () => {
  expect(watchOf("\x05A").asksForRawPaste(1)).toBe(false)
})

test("a line end runs a program in friendly mode, Ctrl-D in both", () => {
  const raw = watchOf("\x01", rawBanner)
  const mayRun = (watch: ReplWatch) => ["\r", "\x04", "a"].map((key) => watch.mayRun(key.charCodeAt(0)))
  expect(mayRun(new ReplWatch())).toEqual([true, true, false])
  expect(mayRun(raw)).toEqual([false, true, false])
})
