import { expect, test } from "vitest"
import { type PressedKey, targetOf } from "./key-target.ts"

const press = (key: string, held: Partial<PressedKey> = {}): PressedKey => ({
  key,
  code: "",
  altKey: false,
  ctrlKey: false,
  metaKey: false,
  ...held,
})
const ctrl = { ctrlKey: true }
const meta = { metaKey: true }

test.each<[string, PressedKey, boolean, string]>([
  ["a letter", press("v"), true, "terminal"],
  ["Ctrl+C", press("c", ctrl), false, "terminal"],
  ["Ctrl+C of a selection", press("c", ctrl), true, "browser"],
  ["Ctrl+C of a selection with Caps Lock", press("C", ctrl), true, "browser"],
  ["Command+C of a selection", press("c", meta), true, "browser"],
  ["Ctrl+V", press("v", ctrl), false, "browser"],
  ["Ctrl+V with Caps Lock", press("V", ctrl), false, "browser"],
  ["Ctrl+Alt+V, which types something", press("v", { ...ctrl, altKey: true }), false, "terminal"],
  ["Ctrl+]", press("]", ctrl), false, "leave"],
  [
    "Ctrl+] on a keyboard that has another letter there",
    press("+", { ...ctrl, code: "BracketRight" }),
    true,
    "leave",
  ],
  ["Command+], which goes forward", press("]", meta), false, "terminal"],
])("%s (%#)", (_what, pressed, hasSelection, target) => {
  expect(targetOf(pressed, hasSelection)).toBe(target)
})
