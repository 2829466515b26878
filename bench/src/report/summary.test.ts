import { expect, test } from "vitest"
import type { Figure, Row } from "../row.ts"
import { median, summarize } from "./summary.ts"
import { formatNumber, formatTable } from "./table.ts"

const speed: Figure = {
  name: "ours",
  unit: "MB/s",
  isBetter: "higher",
  floor: 30,
  aim: { times: 1, of: "theirs" },
  reference: "theirs",
}
const delay: Figure = { name: "delay", unit: "ms", isBetter: "lower", floor: 4, aim: 2 }

function rowOf(...figures: readonly Figure[]): Row {
  return { name: "row", what: "", figures, run: async () => ({}) }
}

test("the median of all runs counts, and the spread shows the others", () => {
  expect(median([])).toBeNull()
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1])).toBe(2.5)
  const [summary] = summarize(rowOf(delay), [{ delay: 9 }, { delay: 3 }, { delay: 1 }])
  expect(summary).toMatchObject({ value: 3, spread: [1, 9], verdict: "floor reached" })
})

test.each([
  [speed, 29, "below the floor"],
  [speed, 30, "floor reached"],
  [speed, 60, "aim reached"],
  [delay, 5, "below the floor"],
  [delay, 4, "floor reached"],
  [delay, 2, "aim reached"],
])("%o of %d is %s", (figure, value, verdict) => {
  const row = rowOf(figure, { name: "theirs", unit: "MB/s", isBetter: "higher" })
  expect(summarize(row, [{ [figure.name]: value, theirs: 60 }])[0]?.verdict).toBe(verdict)
})

test("what was not measured is not judged, and neither is what is measured against it", () => {
  const row = rowOf(speed, { name: "theirs", unit: "MB/s", isBetter: "higher", floor: 1 })
  expect(summarize(row, [{ ours: 31 }])).toMatchObject([
    { value: 31, ratio: null, aim: null, verdict: "floor reached" },
    { value: null, spread: null, verdict: "not measured" },
  ])
})

test("a table row shows value, spread, ratio, limits and verdict", () => {
  const row = rowOf(speed, { name: "theirs", unit: "MB/s", isBetter: "higher" })
  const table = formatTable(summarize(row, [{ ours: 45, theirs: 60 }]))
  expect(table.split("\n")[2]).toBe(
    "| ours | 45.0 MB/s | 45.0 … 45.0 | × 0.750 | 30.0 | 60.0 | floor reached |",
  )
})

test("numbers keep three digits that count", () => {
  expect([0, 0.000_123_4, 0.25, 1.5, 12.34, 123.4, 1_234.5].map(formatNumber)).toEqual([
    "0",
    "0.000123",
    "0.250",
    "1.50",
    "12.3",
    "123",
    "1235",
  ])
})
