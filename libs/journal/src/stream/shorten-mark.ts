import type { Mark } from "@serialcast/contract"

// Far more than the contract lets into a mark; a reason of the system's has no bound of its own.
const maxTextLength = 1_000

/** What does not fit into an index entry could not travel in a message either. */
export function shortenMark(mark: Mark): Mark {
  const isLong = (value: unknown) => typeof value === "string" && value.length > maxTextLength
  if (!Object.values(mark).some(isLong)) return mark
  const cut = Object.entries(mark).map(([key, value]: [string, unknown]) => [
    key,
    typeof value === "string" ? value.slice(0, maxTextLength) : value,
  ])
  // The same mark: only texts are shorter.
  return Object.fromEntries(cut) as Mark
}
