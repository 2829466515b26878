import {
  AppError,
  type JsonWrite,
  maxWriteBytes,
  parseJsonObject,
  parseJsonWrite,
} from "@serialcast/contract"

/** A body that may still hold a write: hex in JSON doubles the bytes. */
export const largestBodyBytes = 2 * maxWriteBytes + 64 * 1024

/**
 * What a `POST …/write` asks for: with `application/json`, `{text | hex | base64, eol?, ttlMs?}`; with any other type
 * the body as it is. Throws `bad_request`, `bad_hex` or `too_large`.
 */
export function parseWriteBody(contentType: string | undefined, body: Uint8Array): JsonWrite {
  const write = isJson(contentType) ? parseJsonWrite(parseObject(body)) : { bytes: body }
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

function parseObject(body: Uint8Array): Record<string, unknown> {
  return parseJsonObject(body, "The body is not JSON, though its Content-Type says so.")
}
