import { atMs } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { ReadRhythm, usualRestMs } from "./read-rhythm.ts"

/** The rests after reads of `size` bytes, `everyMs` apart. */
function rests(rhythm: ReadRhythm, count: number, { size = 64, everyMs = 5, fromMs = 0 }): number[] {
  return Array.from({ length: count }, (_, n) => rhythm.restAfter(size, atMs(fromMs + n * everyMs)))
}

test("a port rests between the reads of a steady trickle, and no more after a silence", () => {
  const rhythm = new ReadRhythm(usualRestMs)
  expect(rests(rhythm, 16, {})).toEqual(Array(16).fill(0))
  expect(rests(rhythm, 3, { fromMs: 80, everyMs: 20 })).toEqual([16, 16, 16])
  expect(rhythm.restAfter(64, atMs(1_000))).toBe(0)
})

test("large reads, and answers to writes, are never waited for", () => {
  const rhythm = new ReadRhythm(usualRestMs)
  expect(rests(rhythm, 100, { size: 4_095 })).toEqual(Array(100).fill(0))
  for (let n = 0; n < 100; n++) {
    rhythm.wrote()
    expect(rhythm.restAfter(16, atMs(1_000 + n * 5))).toBe(0)
  }
})

test("where silences mean something a port never rests", () => {
  expect(rests(new ReadRhythm(), 1_000, { size: 7, everyMs: 12 })).toEqual(Array(1_000).fill(0))
})
