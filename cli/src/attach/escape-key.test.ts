import { expect, test } from "vitest"
import { parseEscapeKey } from "./escape-key.ts"

test.each([
  ["^]", 0x1d, "Ctrl-]"],
  ["^a", 0x01, "Ctrl-A"],
  ["^\\", 0x1c, "Ctrl-\\"],
  ["^@", 0x00, "Ctrl-@"],
  ["none", null, "nothing"],
])("%s is byte %j, called %s", (text, byte, label) => {
  expect(parseEscapeKey(text)).toEqual({ byte, label })
})

test.each(["", "a", "^", "^1", "^ab", "Ctrl-A"])("%j is no key", (text) => {
  expect(() => parseEscapeKey(text)).toThrow("--escape: expected a key like ^] or ^A, or none")
})
