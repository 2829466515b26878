// The contract's filters have at most seven levels of 64 characters.
const maxFilterCharacters = 1024

const maxFilters = 1_000

/**
 * Whether a client that has `held` filters may subscribe to this one. `$share` is refused because aedes would grant it
 * and never deliver (measured); a client must be able to tell.
 */
export function maySubscribe(filter: string, held: ReadonlySet<string>): boolean {
  if (filter.startsWith("$share/") || filter.length > maxFilterCharacters) return false
  return held.has(filter) || held.size < maxFilters
}
