import { encodeHex } from "@serialcast/primitives"
import type { z } from "zod"
import { decodeBytes } from "./byte-text.ts"
import { decodeCbor, encodeCbor } from "./cbor.ts"
import { AppError } from "./errors.ts"

/** How a payload is written; a reply uses what its request used. */
export type PayloadFormat = "cbor" | "json"

/**
 * Decodes a request's payload: JSON when it starts with `{`, else CBOR. In JSON, bytes are given as one of `hex`,
 * `base64` or `text`. Throws `bad_message`, or `bad_hex` or `bad_request` when these are wrong.
 */
export function decodeCall(payload: Uint8Array): { format: PayloadFormat; call: unknown } {
  if (payload[0] !== 0x7b) return { format: "cbor", call: plainBytes(decodeCbor(payload)) }
  let call: unknown
  try {
    call = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload))
  } catch (cause) {
    throw new AppError("bad_message", "The payload starts with `{` but is not JSON.", { cause })
  }
  return { format: "json", call: bytesFromJson(call as Record<string, unknown>) }
}

/** Checks a decoded request against its schema. Throws `bad_request` with every problem and its path. */
export function checkCall<T>(schema: z.ZodType<T>, call: unknown): T {
  const parsed = schema.safeParse(call)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join(".")}: ${message}`,
  )
  throw new AppError("bad_request", `${problems.join("; ")}.`)
}

export function encodeCall(call: object): Uint8Array {
  return encodeCbor(withoutUndefined(call))
}

/** Encodes a reply in the format of its request; bytes inside JSON are hex. */
export function encodePayload(message: object, format: PayloadFormat): Uint8Array {
  if (format === "cbor") return encodeCbor(message)
  return new TextEncoder().encode(JSON.stringify(message, jsonReplacer))
}

function jsonReplacer(key: string, value: unknown): unknown {
  if (key === "b" && value instanceof Uint8Array) return encodeHex(value)
  return typeof value === "bigint" ? Number(value) : value
}

function bytesFromJson(call: Record<string, unknown>): Record<string, unknown> {
  const { hex, base64, text, ...rest } = call
  const given = [hex, base64, text].filter((value) => value !== undefined)
  if (given.length === 0) return rest
  if (given.length > 1) throw new AppError("bad_request", "Give the bytes once: as hex, base64 or text.")
  return { ...rest, bytes: decodeBytes({ hex, base64, text }) }
}

// cbor-x answers Node's Buffer where there is one, which JSON.stringify turns into an object before any replacer.
function plainBytes(call: unknown): unknown {
  if (typeof call !== "object" || call === null || !("bytes" in call) || !(call.bytes instanceof Uint8Array))
    return call
  const { buffer, byteOffset, byteLength } = call.bytes
  return { ...call, bytes: new Uint8Array(buffer, byteOffset, byteLength) }
}

function withoutUndefined(call: object): object {
  return Object.fromEntries(Object.entries(call).filter(([, value]) => value !== undefined))
}
