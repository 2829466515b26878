import type { Figure, Measurement, Row } from "../row.ts"
import { resolveLimit } from "./resolve-limit.ts"

export type Verdict = "aim reached" | "floor reached" | "below the floor" | "not measured" | ""

/** What the runs of a row say about one of its figures. */
export interface Summary {
  readonly figure: string
  readonly unit: string
  /** The median; null when it was not measured. */
  readonly value: number | null
  /** Least and greatest value of the runs. */
  readonly spread: readonly [number, number] | null
  /** `value` in multiples of the figure's reference. */
  readonly ratio: number | null
  readonly floor: number | null
  readonly aim: number | null
  readonly verdict: Verdict
}

/** One summary for each figure of `row`. A limit that names a figure means that figure's median. */
export function summarize(row: Row, runs: readonly Measurement[]): readonly Summary[] {
  const medians = new Map(row.figures.map(({ name }) => [name, median(valuesOf(runs, name))]))
  const medianOf = (name: string): number | null => medians.get(name) ?? null
  return row.figures.map((figure) => {
    const values = valuesOf(runs, figure.name)
    const value = medianOf(figure.name)
    const floor = resolveLimit(figure.floor, figure, medianOf)
    const aim = resolveLimit(figure.aim, figure, medianOf)
    const reference = figure.reference === undefined ? null : medianOf(figure.reference)
    return {
      figure: figure.name,
      unit: figure.unit,
      value,
      spread: value === null ? null : [Math.min(...values), Math.max(...values)],
      ratio: value === null || reference === null || reference === 0 ? null : value / reference,
      floor,
      aim,
      verdict: judge(figure, { value, floor, aim }),
    }
  })
}

function valuesOf(runs: readonly Measurement[], name: string): number[] {
  return runs.map((run) => run[name]).filter((value) => value !== undefined)
}

/** The middle value, of an even number the mean of both; null of none. */
export function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  const lower = sorted[Math.floor((sorted.length - 1) / 2)]
  const upper = sorted[Math.floor(sorted.length / 2)]
  return lower === undefined || upper === undefined ? null : (lower + upper) / 2
}

function judge(
  { isBetter }: Figure,
  { value, floor, aim }: Record<"value" | "floor" | "aim", number | null>,
): Verdict {
  if (floor === null && aim === null) return ""
  if (value === null) return "not measured"
  const reaches = (limit: number) => (isBetter === "higher" ? value >= limit : value <= limit)
  if (aim !== null && reaches(aim)) return "aim reached"
  return floor === null || reaches(floor) ? "floor reached" : "below the floor"
}
