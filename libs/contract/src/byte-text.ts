import { decodeHex } from "@serialcast/primitives"
import { AppError } from "./errors.ts"

/** Bytes written as UTF-8 `text`, `hex` or `base64` (RFC 4648 §4, padded). Throws `bad_hex` or `bad_request`. */
export function decodeBytes({
  hex,
  base64,
  text,
}: {
  hex?: unknown
  base64?: unknown
  text?: unknown
}): Uint8Array {
  if (typeof text === "string") return new TextEncoder().encode(text)
  if (typeof hex === "string") {
    const decoded = decodeHex(hex)
    if (decoded === undefined) throw notHex(hex)
    return decoded
  }
  if (typeof base64 === "string") return decodeBase64(base64)
  throw new AppError("bad_request", "Expected the bytes as a string in `hex`, `base64` or `text`.")
}

/** Says what keeps `text` from being hex; of megabytes that somebody sent, no more than one character is quoted. */
export function notHex(text: string): AppError {
  const at = text.search(/[^0-9a-fA-F]/)
  const wanted = "Expected pairs of hex digits and nothing between or around them"
  if (at < 0)
    return new AppError("bad_hex", `${wanted}; found ${text.length} digits, one too many or too few.`)
  // As it came in an address, a character may be written by its code.
  const [found = ""] = /^(?:%[0-9a-fA-F]{2}|.)/su.exec(text.slice(at, at + 3)) ?? []
  return new AppError("bad_hex", `${wanted}; found ${JSON.stringify(found)} after ${at} of them.`)
}

function decodeBase64(base64: string): Uint8Array {
  // No group under a quantifier: on megabytes of text it would exhaust the stack of the regular expression engine.
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) {
    throw new AppError("bad_request", "Expected `base64` in the standard alphabet, padded, and nothing else.")
  }
  const binary = atob(base64)
  const bytes = new Uint8Array(binary.length)
  for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at)
  return bytes
}
