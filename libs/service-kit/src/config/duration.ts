const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const durationPattern = /^([1-9][0-9]{0,9}) ?(ms|s|m|h|d)$/

/** Reads a duration like `500ms`, `5s`, `12h` or `30d`, in milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = durationPattern.exec(text)
  if (match === null) return undefined
  // The pattern admits only the units of the table.
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs]
}
