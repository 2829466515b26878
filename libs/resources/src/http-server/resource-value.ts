import { ResourceError } from "../errors.ts"
import { quoted } from "../table/check-change.ts"

/** Text goes out as UTF-8, bytes as they are, a number as `encoding` says. */
export type ResourceValue = string | Uint8Array | number

export interface ValueOptions {
  /** Of a number: decimal text, or, for whole numbers, little-endian bytes, as few of 1, 2 and 4 as hold it. Default: text. */
  readonly encoding?: "text" | "le"
}

/** Throws `bad_argument`. */
export function encodeValue(value: ResourceValue, { encoding = "text" }: ValueOptions = {}): Uint8Array {
  if (typeof value === "string") return new TextEncoder().encode(value)
  if (typeof value !== "number") return bytesOf(value)
  if (encoding === "le") return littleEndian(value)
  if (Number.isFinite(value)) return new TextEncoder().encode(String(value))
  throw new ResourceError("bad_argument", `Expected a number that has digits; found ${value}.`)
}

/** A copy: what the caller does with its own changes no resource. */
function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return Uint8Array.from(value)
  const found = quoted(String(value))
  throw new ResourceError("bad_argument", `Expected a string, a Uint8Array or a number; found ${found}.`)
}

function littleEndian(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** 32) {
    throw new ResourceError(
      "bad_argument",
      `Expected a whole number of at most 32 bits, unsigned; found ${value}.`,
    )
  }
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes.slice(0, value < 2 ** 8 ? 1 : value < 2 ** 16 ? 2 : 4)
}
