const unitBytes = { "": 1, B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const
const sizePattern = /^([0-9]{1,15}) ?(B|KiB|MiB|GiB)?$/

/** Reads a number of bytes like `12MiB`, `64 KiB` or `4096`; undefined for anything else. */
export function parseByteSize(text: string): number | undefined {
  const match = sizePattern.exec(text)
  if (match === null) return undefined
  // The pattern admits only the units of the table.
  const bytes = Number(match[1]) * unitBytes[(match[2] ?? "") as keyof typeof unitBytes]
  return Number.isSafeInteger(bytes) ? bytes : undefined
}
