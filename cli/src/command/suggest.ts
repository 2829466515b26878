/** `; did you mean …?` with the one of `names` that `name` is most likely a slip of; empty when none is close. */
export function suggest(name: string, names: readonly string[]): string {
  const letters = (text: string) => text.split("").sort().join("")
  const start = name.slice(0, name.startsWith("--") ? 4 : 2)
  const meant =
    names.find((candidate) => candidate.startsWith(name)) ??
    names.find((candidate) => letters(candidate) === letters(name)) ??
    names.find((candidate) => candidate.startsWith(start))
  return meant === undefined ? "" : `; did you mean ${meant}?`
}
