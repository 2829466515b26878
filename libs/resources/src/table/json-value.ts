import type { JsonFields } from "./json-fields.ts"

/** Fatal, and keeps a byte order mark: what it decodes, it decodes without loss. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()
const surrogate = /\p{Surrogate}/u
const base64 = /^[A-Za-z0-9+/]*={0,2}$/

export interface JsonValue {
  readonly enc: "utf8" | "base64"
  readonly v: string
}

/**
 * A value as text where it is text, so that people can read it; else as base64 (RFC 4648 §4, padded), and where JSON would
 * need more for the text than for that: of a control character it makes six.
 */
export function valueToJson(value: Uint8Array): JsonValue {
  const text = textOf(value)
  return text === undefined || jsonBytes(text) > base64Bytes(value)
    ? { enc: "base64", v: bytesToBase64(value) }
    : { enc: "utf8", v: text }
}

/** undefined: it is not UTF-8, as much of what devices send. */
function textOf(value: Uint8Array): string | undefined {
  try {
    return decoder.decode(value)
  } catch {
    return undefined
  }
}

function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2
}

function base64Bytes({ byteLength }: Uint8Array): number {
  return 4 * Math.ceil(byteLength / 3)
}

/** The value of the fields `enc` (default: utf8) and `v`. Throws `bad_json`. */
export function valueOfJson(fields: JsonFields): Uint8Array {
  const encoding = fields.oneOf("enc", ["utf8", "base64"], "utf8")
  const text = fields.string("v")
  if (encoding === "utf8") {
    if (surrogate.test(text)) throw fields.bad('well-formed Unicode in "v"', text)
    return encoder.encode(text)
  }
  const bytes = base64.test(text) ? new Uint8Array(Buffer.from(text, "base64")) : undefined
  // Whatever is decoded otherwise than it was encoded had been cut, or has bits that belong to nothing.
  if (bytes === undefined || bytesToBase64(bytes) !== text) throw fields.bad('padded base64 in "v"', text)
  return bytes
}

function bytesToBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64")
}
