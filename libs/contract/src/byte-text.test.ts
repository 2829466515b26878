import { expect, test } from "vitest"
import { decodeBytes } from "./byte-text.ts"

test.each([
  ["48 65 6c", 'found " " after 2 of them'],
  ["48%2065", 'found "%20" after 2 of them'],
  ["48+65", 'found "+" after 2 of them'],
  ["0x48", 'found "x" after 1 of them'],
  ["48:65", 'found ":" after 2 of them'],
  ["48é", 'found "é" after 2 of them'],
  ["48😀", 'found "😀" after 2 of them'],
  ["486", "found 3 digits, one too many or too few"],
])("%j is no hex, and what is wrong with it is told with its place", (hex, told) => {
  expect(() => decodeBytes({ hex })).toThrow(
    expect.objectContaining({ code: "bad_hex", message: expect.stringContaining(told) }),
  )
})
