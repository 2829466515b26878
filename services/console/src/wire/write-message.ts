import { AppError, decodeBytes } from "@serialcast/contract"

/** One atomic write, as a client asks for it. */
export interface WriteMessage {
  /** The client's name for it, used in the answer on this socket and nowhere else. Absent: its number, from 1. */
  readonly id?: string
  readonly bytes: Uint8Array
  /** How long the write may wait for its turn, in milliseconds. */
  readonly ttlMs?: number
}

const knownKeys = new Set(["type", "id", "text", "hex", "base64", "ttlMs"])
const maxTtlMs = 3_600_000
const maxIdLength = 64

/**
 * Reads `{type: "write", id?, text | hex | base64, ttlMs?}`. Throws `bad_request` or `bad_hex` for anything else: a
 * misspelt key would otherwise change what is written without a word.
 */
export function parseWriteMessage(text: string): WriteMessage {
  const { id, ttlMs, ...rest } = parseObject(text)
  if (rest["type"] !== "write") throw expected('`type` as "write"')
  const unknown = Object.keys(rest).find((key) => !knownKeys.has(key))
  if (unknown !== undefined) throw expected(`no key ${JSON.stringify(unknown)}`)
  const given = ["text", "hex", "base64"].filter((key) => rest[key] !== undefined)
  if (given.length !== 1) throw expected("the bytes once, as `text`, `hex` or `base64`")
  if (id !== undefined && !isId(id)) throw expected(`\`id\` as text of 1 to ${maxIdLength} characters`)
  if (ttlMs !== undefined && !isTtl(ttlMs))
    throw expected(`\`ttlMs\` as a whole number from 1 to ${maxTtlMs}`)
  return {
    ...(id === undefined ? {} : { id }),
    bytes: decodeBytes(rest),
    ...(ttlMs === undefined ? {} : { ttlMs }),
  }
}

function parseObject(text: string): Record<string, unknown> {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch (cause) {
    throw new AppError("bad_request", "Expected a text frame to be JSON.", { cause })
  }
  if (typeof message !== "object" || message === null || Array.isArray(message))
    throw expected("to be an object")
  // An object that came out of JSON.parse has string keys and nothing else that this type denies.
  return message as Record<string, unknown>
}

function isId(id: unknown): id is string {
  return typeof id === "string" && id.length >= 1 && id.length <= maxIdLength
}

function isTtl(ttlMs: unknown): ttlMs is number {
  return typeof ttlMs === "number" && Number.isInteger(ttlMs) && ttlMs >= 1 && ttlMs <= maxTtlMs
}

function expected(what: string): AppError {
  return new AppError("bad_request", `A write message needs ${what}.`)
}
