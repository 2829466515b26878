import { expect, test } from "vitest"
import { parseOptions } from "./options.ts"
import type { Row } from "./row.ts"

const row = (name: string, isLong = false): Row => ({
  name,
  what: "",
  isLong,
  figures: [],
  run: async () => ({}),
})
const rows = [row("flood"), row("echo"), row("disk", true)]
const chosen = (...args: readonly string[]) => parseOptions(args, rows)?.rows.map(({ name }) => name)

test("without names every row runs but the long ones; with names those, long or not", () => {
  expect(chosen()).toEqual(["flood", "echo"])
  expect(chosen("--long")).toEqual(["flood", "echo", "disk"])
  expect(chosen("disk", "flood")).toEqual(["flood", "disk"])
})

test("a name or number that is none is a sentence, not a run", () => {
  expect(() => chosen("floot")).toThrow("no row floot; --help lists them")
  expect(() => chosen("--runs", "0")).toThrow("--runs: expected a number above 0, found 0")
  expect(() => chosen("--scale", "big")).toThrow("--scale: expected a number above 0, found big")
  expect(() => chosen("--fast")).toThrow()
})

test("random input has the seed that is given, or any", () => {
  expect(parseOptions(["--seed", "7"], rows)?.seed).toBe(7)
  expect(parseOptions([], rows)?.seed).toBeNull()
  expect(() => chosen("--seed", "x")).toThrow("--seed: expected a number above 0, found x")
})

test("help wants no run", () => {
  expect(parseOptions(["--help", "flood"], rows)).toBeNull()
})
