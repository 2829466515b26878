import { AppError, decodeBytes, maxWriteBytes } from "@serialcast/contract"
import { concatBytes } from "@serialcast/primitives"

/** A body that may still hold a write: hex in JSON doubles the bytes. */
export const largestBodyBytes = 2 * maxWriteBytes + 64 * 1024

export interface RequestedWrite {
  readonly bytes: Uint8Array
  readonly ttlMs?: number
}

const lineEnds: ReadonlyMap<unknown, string> = new Map([
  [undefined, ""],
  ["none", ""],
  ["cr", "\r"],
  ["lf", "\n"],
  ["crlf", "\r\n"],
])
const longestTtlMs = 3_600_000

/**
 * What a `POST …/write` asks for: with `application/json`, `{text | hex | base64, eol?, ttlMs?}`; with any other type
 * the body as it is. Throws `bad_request`, `bad_hex` or `too_large`.
 */
export function parseWrite(contentType: string | undefined, body: Uint8Array): RequestedWrite {
  const write = isJson(contentType) ? parseJsonWrite(body) : { bytes: body }
  if (write.bytes.byteLength > maxWriteBytes) {
    throw new AppError(
      "too_large",
      `One write carries at most ${maxWriteBytes} bytes, found ${write.bytes.byteLength}.`,
    )
  }
  return write
}

/** Whether a Content-Type says that the body is JSON. */
export function isJson(contentType = ""): boolean {
  return contentType.split(";", 1)[0]?.trim().toLowerCase() === "application/json"
}

function parseJsonWrite(body: Uint8Array): RequestedWrite {
  const { text, hex, base64, eol, ttlMs, ...unknown } = parseObject(body)
  const [unknownKey] = Object.keys(unknown)
  if (unknownKey !== undefined) {
    throw new AppError(
      "bad_request",
      `Expected text, hex or base64, eol and ttlMs; found ${JSON.stringify(unknownKey)}.`,
    )
  }
  if ([text, hex, base64].filter((given) => given !== undefined).length !== 1) {
    throw new AppError("bad_request", "Give the bytes once: as text, hex or base64.")
  }
  const end = lineEnds.get(eol)
  if (end === undefined) throw new AppError("bad_request", "eol: expected none, cr, lf or crlf.")
  const bytes = concatBytes([decodeBytes({ text, hex, base64 }), new TextEncoder().encode(end)])
  if (ttlMs === undefined) return { bytes }
  if (typeof ttlMs !== "number" || !Number.isInteger(ttlMs) || ttlMs < 1 || ttlMs > longestTtlMs) {
    throw new AppError("bad_request", `ttlMs: expected whole milliseconds from 1 to ${longestTtlMs}.`)
  }
  return { bytes, ttlMs }
}

function parseObject(body: Uint8Array): Record<string, unknown> {
  let parsed: unknown
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body))
  } catch (cause) {
    throw new AppError("bad_request", "The body is not JSON, though its Content-Type says so.", { cause })
  }
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed))
    return parsed as Record<string, unknown>
  throw new AppError("bad_request", "Expected a JSON object with text, hex or base64.")
}
