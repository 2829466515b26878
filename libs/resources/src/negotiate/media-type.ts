/** RFC 9110 §8.3.1. */
export interface MediaType {
  /** Lower case. */
  readonly type: string
  /** Lower case. */
  readonly subtype: string
  /** Names in lower case; values as they are, without quotes. */
  readonly parameters: ReadonlyMap<string, string>
}

/** RFC 9110 §5.6.2. */
const tokenPattern = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
/** RFC 9110 §5.6.4, of ASCII: other bytes have no agreed meaning. */
const quotedPattern = '"(?:[\\t !#-\\[\\]-~]|\\\\[\\t -~])*"'

const essence = new RegExp(`^(${tokenPattern})/(${tokenPattern})`)
// Anchored at the place by the flag, so that no text makes it look twice at a character.
const parameter = new RegExp(`[ \\t]*;[ \\t]*(?:(${tokenPattern})=(${tokenPattern}|${quotedPattern}))?`, "y")

/** Longer ones are no media types to anybody. */
const maxMediaTypeChars = 255

/** undefined: `text` is no media type. */
export function parseMediaType(text: string): MediaType | undefined {
  const found = parseMediaRange(text)
  return found === undefined || found.type.includes("*") || found.subtype.includes("*") ? undefined : found
}

/** A media type, or one with `*` in place of its parts. A parameter that is named twice keeps its first value. */
export function parseMediaRange(text: string): MediaType | undefined {
  const trimmed = trimSpace(text)
  if (trimmed.length > maxMediaTypeChars) return undefined
  const found = essence.exec(trimmed)
  const [whole = "", type = "", subtype = ""] = found ?? []
  if (found === null) return undefined
  const parameters = new Map<string, string>()
  let at = whole.length
  while (at < trimmed.length) {
    parameter.lastIndex = at
    const next = parameter.exec(trimmed)
    if (next === null) return undefined
    const [, name, value = ""] = next
    if (name !== undefined && !parameters.has(name.toLowerCase())) {
      parameters.set(name.toLowerCase(), unquote(value))
    }
    at = parameter.lastIndex
  }
  return { type: type.toLowerCase(), subtype: subtype.toLowerCase(), parameters }
}

/** `type/subtype`, without parameters. */
export function essenceOf({ type, subtype }: MediaType): string {
  return `${type}/${subtype}`
}

/** Optional white space of RFC 9110 §5.6.3 off both ends. */
function trimSpace(text: string): string {
  const isSpace = (at: number) => text[at] === " " || text[at] === "\t"
  let [start, end] = [0, text.length]
  while (start < end && isSpace(start)) start++
  while (end > start && isSpace(end - 1)) end--
  return text.slice(start, end)
}

function unquote(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value
}
