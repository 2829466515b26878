import { expect, test } from "vitest"
import { resolveLimit } from "./resolve-limit.ts"

const medians: Readonly<Record<string, number>> = { tuned: 10, default: 400 }
const medianOf = (name: string) => medians[name] ?? null
const lower = { isBetter: "lower" } as const
const higher = { isBetter: "higher" } as const

test("a limit is a value, or a multiple of a figure's median", () => {
  expect(resolveLimit(undefined, lower, medianOf)).toBeNull()
  expect(resolveLimit(0.5, lower, medianOf)).toBe(0.5)
  expect(resolveLimit({ times: 0.25, of: "default" }, lower, medianOf)).toBe(100)
})

test("of several multiples the strictest counts: the least where lower is better, else the greatest", () => {
  const limit = [
    { times: 0.1, of: "default" },
    { times: 3, of: "tuned" },
  ]
  expect(resolveLimit(limit, lower, medianOf)).toBe(30)
  expect(resolveLimit(limit, higher, medianOf)).toBe(40)
})

test("multiples of what was not measured do not count", () => {
  expect(resolveLimit({ times: 2, of: "other" }, lower, medianOf)).toBeNull()
  const limit = [
    { times: 2, of: "other" },
    { times: 2, of: "tuned" },
  ]
  expect(resolveLimit(limit, lower, medianOf)).toBe(20)
})
