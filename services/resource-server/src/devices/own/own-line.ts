import { parseMediaType, whyNotUri } from "@serialcast/resources"
import { builtinNames } from "../builtin-target.ts"

/** What a line of a device asks for. */
export type OwnLine =
  | { readonly kind: "set"; readonly uri: string; readonly contentType: string; readonly value: Uint8Array }
  | { readonly kind: "remove"; readonly uri: string }
  /** It is meant as one, and is none. */
  | { readonly kind: "bad"; readonly why: string }

export interface OwnLineOptions {
  /** What such lines begin with. */
  readonly prefix: string
  /** `/devices/<gateway>/<device>` */
  readonly below: string
}

const space = 0x20
const decoder = new TextDecoder("utf-8", { fatal: true })
/** Top-level types of the IANA registry (RFC 6838 §4.2), so that "1/2" and "n/a" are values and no types. */
const topLevel = new Set("application audio font haptics image message model multipart text video".split(" "))

/**
 * `<prefix> /temp application/json {"c":21.5}`, `<prefix> /temp 21.5`, `<prefix> -/temp`: parts with one space between them. The
 * second part is the type where it is a media type, of a registered top-level type and without spaces; else the value begins
 * with it, and its type is text/plain. undefined: the line is about something else.
 */
export function parseOwnLine(line: Uint8Array, { prefix, below }: OwnLineOptions): OwnLine | undefined {
  const [first, rest] = splitAtSpace(line)
  if (textOf(first) !== prefix) return undefined
  const [place, said] = splitAtSpace(rest ?? new Uint8Array(0))
  const path = textOf(place)
  if (path === undefined) return bad("Write the URI in UTF-8.")
  const isRemoval = path.startsWith("-")
  const own = isRemoval ? path.slice(1) : path
  const why = whyNotOwn(own, below)
  if (why !== undefined) return bad(why)
  const uri = below + own
  if (isRemoval) return said === undefined ? { kind: "remove", uri } : bad("Write nothing behind -/….")
  if (said === undefined) return bad("Write a value behind the URI.")
  const [maybeType, value] = splitAtSpace(said)
  const contentType = typeOf(maybeType)
  if (contentType === undefined) return { kind: "set", uri, contentType: "text/plain", value: said }
  return { kind: "set", uri, contentType, value: value ?? new Uint8Array(0) }
}

function whyNotOwn(path: string, below: string): string | undefined {
  if (path === "/") return "Write a segment behind the slash of the URI."
  const why = whyNotUri(path) ?? whyNotUri(below + path)
  if (why !== undefined) return why
  const isTaken = builtinNames.some((name) => path === `/${name}`)
  return isTaken ? `Choose another name: every device has ${path}.` : undefined
}

function typeOf(part: Uint8Array): string | undefined {
  const text = textOf(part)
  const type = text === undefined ? undefined : parseMediaType(text)
  return type !== undefined && topLevel.has(type.type) ? text : undefined
}

/** What is before the first space, and what is behind it. */
function splitAtSpace(bytes: Uint8Array): readonly [Uint8Array, Uint8Array | undefined] {
  const at = bytes.indexOf(space)
  return at < 0 ? [bytes, undefined] : [bytes.subarray(0, at), bytes.subarray(at + 1)]
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

function bad(why: string): OwnLine {
  return { kind: "bad", why }
}
