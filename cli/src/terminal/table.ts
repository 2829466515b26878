import { stripVTControlCharacters } from "node:util"

/** Rows with their columns aligned, three spaces between them. Colours take no room. */
export function formatTable(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries())
      widths[column] = Math.max(widths[column] ?? 0, visibleLength(cell))
  }
  return rows.map((row) => {
    const cells = row.map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - visibleLength(cell)))
    return cells.join("   ").trimEnd()
  })
}

function visibleLength(text: string): number {
  return stripVTControlCharacters(text).length
}
