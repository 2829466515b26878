/** Shorter beginnings say too little. */
const shortestBeginning = 3

/**
 * The one of `names` that `name` is most likely a slip or the beginning of, for "did you mean"; undefined when none is
 * close.
 */
export function closestName(name: string, names: readonly string[]): string | undefined {
  const allowed = Math.max(1, Math.floor(name.length / 4))
  const [best] = names
    .map((candidate) => ({ candidate, edits: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ edits }) => edits <= allowed)
    .sort((one, other) => one.edits - other.edits)
  if (best !== undefined || name.length < shortestBeginning) return best?.candidate
  return names.find((candidate) => candidate.startsWith(name))
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `one` into `other` (optimal string alignment). */
function editDistance(one: string, other: string): number {
  let beforePrevious: readonly number[] = []
  let previous = Array.from({ length: other.length + 1 }, (_, length) => length)
  for (let row = 1; row <= one.length; row++) {
    const current = [row]
    for (let column = 1; column <= other.length; column++) {
      const isSwapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      current.push(
        Math.min(
          at(previous, column - 1) + (one[row - 1] === other[column - 1] ? 0 : 1),
          at(previous, column) + 1,
          at(current, column - 1) + 1,
          isSwapped ? at(beforePrevious, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
    beforePrevious = previous
    previous = current
  }
  return at(previous, other.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY
}
