import type { Summary } from "./summary.ts"

const header = ["figure", "median", "spread", "ratio", "floor", "aim", "verdict"]

/** The summaries of a row as a Markdown table. */
export function formatTable(summaries: readonly Summary[]): string {
  const rows = summaries.map(({ figure, unit, value, spread, ratio, floor, aim, verdict }) => [
    figure,
    value === null ? "–" : `${formatNumber(value)} ${unit}`.trimEnd(),
    spread === null ? "–" : spread.map(formatNumber).join(" … "),
    ratio === null ? "" : `× ${formatNumber(ratio)}`,
    floor === null ? "" : formatNumber(floor),
    aim === null ? "" : formatNumber(aim),
    verdict,
  ])
  return [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |\n`).join("")
}

/** Three digits that count, and no exponent. */
export function formatNumber(value: number): string {
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  return value.toFixed(Math.min(digits, 6))
}
