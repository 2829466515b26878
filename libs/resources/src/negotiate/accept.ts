import { type MediaType, parseMediaRange } from "./media-type.ts"

// The alternatives begin with different characters: it goes over a header once.
const element = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g
const weight = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/

/**
 * Whether the `Accept` header of a request takes `mediaType` (RFC 9110 §12.5.1): of the ranges that it matches, the most
 * specific one has the word. Without a header everything is taken; elements that are no ranges are passed over, and a header
 * of nothing else says nothing.
 */
export function accepts(header: string | undefined, mediaType: MediaType): boolean {
  if (header === undefined) return true
  const ranges = (header.match(element) ?? []).flatMap((text) => parseWeighted(text) ?? [])
  if (ranges.length === 0) return true
  let [rank, isTaken] = [-1, false]
  for (const { range, quality } of ranges) {
    const next = rankOf(range, mediaType)
    if (next < rank || next < 0) continue
    isTaken = quality > 0 || (next === rank && isTaken)
    rank = next
  }
  return isTaken
}

function parseWeighted(text: string): { range: MediaType; quality: number } | undefined {
  const range = parseMediaRange(text)
  const quality = range?.parameters.get("q") ?? "1"
  if (range === undefined || !weight.test(quality)) return undefined
  // `*` alone is the only wildcard, and stands for the whole of a part.
  if (range.type === "*" && range.subtype !== "*") return undefined
  return { range, quality: Number(quality) }
}

/** How closely a range describes a media type; -1: not at all. */
function rankOf({ type, subtype, parameters }: MediaType, mediaType: MediaType): number {
  if (type === "*") return 0
  if (type !== mediaType.type) return -1
  if (subtype === "*") return 1
  if (subtype !== mediaType.subtype) return -1
  let rank = 2
  for (const [name, value] of parameters) {
    if (name === "q") continue
    const own = mediaType.parameters.get(name)
    // Many ask for a charset with types that have none to name.
    if (own === undefined && name === "charset") continue
    if (own?.toLowerCase() !== value.toLowerCase()) return -1
    rank++
  }
  return rank
}
