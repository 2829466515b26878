import type { Figure, Limit } from "../row.ts"

/** The value of a limit; null when there is none, or nothing that it is told in multiples of was measured. */
export function resolveLimit(
  limit: Limit | undefined,
  { isBetter }: Pick<Figure, "isBetter">,
  medianOf: (figure: string) => number | null,
): number | null {
  if (limit === undefined || typeof limit === "number") return limit ?? null
  const values = [limit].flat().flatMap(({ times, of }) => {
    const median = medianOf(of)
    return median === null ? [] : [times * median]
  })
  if (values.length === 0) return null
  return isBetter === "higher" ? Math.max(...values) : Math.min(...values)
}
