import { expect, test } from "vitest"
import { parseDuration } from "./duration.ts"

test.each([
  ["500ms", 500],
  ["5s", 5_000],
  ["2 m", 120_000],
  ["12h", 43_200_000],
  ["30d", 2_592_000_000],
])("%s is a duration", (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

test.each(["", "5", "0s", "-1s", "1.5s", "5S", "5 years", "s"])("%j is none", (text) => {
  expect(parseDuration(text)).toBeUndefined()
})
