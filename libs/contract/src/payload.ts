import { encodeHex } from "@serialcast/primitives"
import type { z } from "zod"
import { decodeCbor } from "./decode-cbor.ts"
import { encodeCbor } from "./encode-cbor.ts"
import { AppError } from "./errors.ts"
import { takeBytes } from "./json-write.ts"
import type { Parcel } from "./parcel.ts"

/** How a payload is written; a reply uses what its request used. */
export type PayloadFormat = "cbor" | "json"

/**
 * Decodes a request's payload: JSON when it starts with `{`, else CBOR. In JSON, bytes are given as one of
 * `text`, `hex` or `base64`, with the line end `eol`. Throws `bad_message`, or `bad_hex` or `bad_request` when these are wrong.
 */
export function decodeCall(payload: Uint8Array): { format: PayloadFormat; call: unknown } {
  if (payload[0] !== 0x7b) return { format: "cbor", call: decodeCbor(payload) }
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
  return encodeCbor(call)
}

/** A request for the agent of this process as it is, and for others encoded: once, at the first time. */
export class CallParcel implements Parcel {
  /** As the agent would decode it. */
  readonly call: Readonly<Record<string, unknown>>
  /** `call` is what its schema would make of it: to check it again costs as much as to write to a port. */
  readonly isChecked: boolean
  #encoded: Uint8Array | undefined

  /** Nothing in `call` may change until it is answered. One that is checked has no values that are undefined. */
  constructor(call: object, { isChecked = false }: { readonly isChecked?: boolean | undefined } = {}) {
    this.isChecked = isChecked
    this.call = isChecked
      ? (call as Record<string, unknown>)
      : Object.fromEntries(Object.entries(call).filter(([, value]) => value !== undefined))
  }

  encode(): Uint8Array {
    this.#encoded ??= encodeCall(this.call)
    return this.#encoded
  }
}

/** Encodes a reply in the format of its request; bytes inside JSON are hex. */
export function encodePayload(message: object, format: PayloadFormat): Uint8Array {
  if (format === "cbor") return encodeCbor(message)
  return new TextEncoder().encode(JSON.stringify(message, jsonReplacer))
}

function jsonReplacer(key: string, value: unknown): unknown {
  if (key === "b" && value instanceof Uint8Array) return encodeHex(value)
  return value
}

function bytesFromJson(call: Record<string, unknown>): Record<string, unknown> {
  const { bytes, rest } = takeBytes(call)
  return bytes === undefined ? rest : { ...rest, bytes }
}
