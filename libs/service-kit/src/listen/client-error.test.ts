import { expect, test } from "vitest"
import { type ClientError, problemOf } from "./client-error.ts"

const long = "a".repeat(100)

/** What Node tells when a head is too large: the last packet, of which the parser took all but `rest`. */
function overflow(packet: string, rest = ""): ClientError {
  const rawPacket = new TextEncoder().encode(packet + rest)
  return Object.assign(new Error("overflow"), {
    code: "HPE_HEADER_OVERFLOW",
    rawPacket,
    bytesParsed: packet.length,
  })
}

test.each([
  ["uri_too_long", "an address", overflow(`GET /${long}`, " HTTP/1.1\r\nHost: x\r\n"), 0],
  ["uri_too_long", "an address behind another request", overflow(`Host: x\r\n\r\nGET /${long}`), 1_000],
  ["uri_too_long", "the middle of an address", overflow(long), 1_000],
  ["uri_too_long", "the end of an address", overflow(long, " HTTP/1.1\r\nHost: x\r\n"), 1_000],
  ["headers_too_large", "a header", overflow(`GET / HTTP/1.1\r\nX: ${long}`), 0],
  ["headers_too_large", "a header behind a long address", overflow(`/${long} HTTP/1.1\r\nX: y`, "z"), 1_000],
  ["headers_too_large", "the middle of a header", overflow("name=value; ".repeat(10)), 1_000],
])("%s: %s", (code, _what, error, bytesBefore) => {
  const bytesRead = bytesBefore + (error.rawPacket?.byteLength ?? 0)
  expect(problemOf(error, { bytesRead })?.code).toBe(code)
})
