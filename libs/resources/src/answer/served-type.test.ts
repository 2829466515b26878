import { expect, test } from "vitest"
import { servedType } from "./served-type.ts"

test.each([
  "text/html",
  "TEXT/HTML",
  "application/xhtml+xml",
  "text/xml",
  "application/xml",
  "application/atom+xml",
  "image/svg+xml",
  "text/xsl",
  "text/javascript",
  "application/x-javascript",
  "application/ecmascript",
  "text/css",
  "text/cache-manifest",
  "multipart/related",
  "message/rfc822",
  "no type",
])("%s may run something, and is text until that is allowed", (contentType) => {
  expect(servedType(contentType, false)).toBe("text/plain")
  expect(servedType(contentType, true)).toBe(contentType)
})

test.each([
  "text/plain",
  "text/plain; charset=latin1",
  "text/csv",
  "application/json",
  "application/ld+json",
  "application/octet-stream",
  "application/cbor",
  "image/png",
])("%s runs nothing, and is what it is", (contentType) => {
  expect(servedType(contentType, false)).toBe(contentType)
})

test("text keeps the charset that it had as HTML, where that is a word", () => {
  expect(servedType('text/html; charset="utf-8"; x=y', false)).toBe("text/plain; charset=utf-8")
  expect(servedType('text/html; charset="a b"', false)).toBe("text/plain")
})
