import { concatBytes } from "@serialcast/primitives"
import { decodeBytes } from "./byte-text.ts"
import { AppError } from "./errors.ts"
import { maxTtlMs } from "./limits.ts"

/** A write as people spell it in JSON: over HTTP, WebSocket and MQTT the same. */
export interface JsonWrite {
  readonly bytes: Uint8Array
  /** How long it may wait for its turn, in milliseconds. */
  readonly ttlMs?: number
}

/** What a write may be ended with. A map: "constructor" names no line end. */
export const lineEnds: ReadonlyMap<unknown, string> = new Map([
  ["none", ""],
  ["lf", "\n"],
  ["cr", "\r"],
  ["crlf", "\r\n"],
])

/**
 * What `{text | hex | base64, eol?, ttlMs?}` asks to be written. Throws `bad_hex`, or `bad_request` for anything else: a
 * misspelt key would otherwise change what is written without a word.
 */
export function parseJsonWrite(members: Record<string, unknown>): JsonWrite {
  const { ttlMs, text, hex, base64, eol, ...unknown } = members
  const [unknownKey] = Object.keys(unknown)
  if (unknownKey !== undefined) {
    const found = JSON.stringify(unknownKey)
    throw new AppError("bad_request", `Expected text, hex or base64, eol and ttlMs; found ${found}.`)
  }
  const { bytes } = takeBytes({ text, hex, base64, eol })
  if (bytes === undefined) throw givenOnce()
  if (ttlMs === undefined) return { bytes }
  if (!isTtl(ttlMs))
    throw new AppError("bad_request", `ttlMs: expected whole milliseconds from 1 to ${maxTtlMs}.`)
  return { bytes, ttlMs }
}

/**
 * The bytes that the members of an object spell as `text`, `hex` or `base64`, with the line end that `eol` names; and the
 * members that are left. No bytes where none of the three is there: `eol` is left then.
 */
export function takeBytes(members: Record<string, unknown>): {
  bytes?: Uint8Array
  rest: Record<string, unknown>
} {
  const { text, hex, base64, eol, ...rest } = members
  const given = [text, hex, base64].filter((spelling) => spelling !== undefined)
  if (given.length === 0) return { rest: eol === undefined ? rest : { ...rest, eol } }
  if (given.length > 1) throw givenOnce()
  const end = lineEnds.get(eol === undefined ? "none" : eol)
  if (end === undefined) throw new AppError("bad_request", "eol: expected none, lf, cr or crlf.")
  const bytes = decodeBytes({ text, hex, base64 })
  return { bytes: end === "" ? bytes : concatBytes([bytes, new TextEncoder().encode(end)]), rest }
}

/** Throws `bad_request`: for what is no JSON, or no UTF-8, with the sentence `notJson`. */
export function parseJsonObject(json: string | Uint8Array, notJson: string): Record<string, unknown> {
  let parsed: unknown
  try {
    parsed = JSON.parse(
      typeof json === "string" ? json : new TextDecoder("utf-8", { fatal: true }).decode(json),
    )
  } catch (cause) {
    throw new AppError("bad_request", notJson, { cause })
  }
  // An object that came out of JSON.parse has string keys and nothing else that this type denies.
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed))
    return parsed as Record<string, unknown>
  throw new AppError("bad_request", "Expected a JSON object.")
}

function isTtl(ttlMs: unknown): ttlMs is number {
  return typeof ttlMs === "number" && Number.isInteger(ttlMs) && ttlMs >= 1 && ttlMs <= maxTtlMs
}

function givenOnce(): AppError {
  return new AppError("bad_request", "Give the bytes once: as text, hex or base64.")
}
