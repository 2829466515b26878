import fc from "fast-check"
import { expect, test } from "vitest"
import { anyUri } from "../testing/arbitrary.ts"
import { maxUriBytes, whyNotUri } from "./canonical-uri.ts"
import { encodeUri } from "./encode-uri.ts"
import { parseTarget } from "./parse-target.ts"

test.each([
  ["/", "/"],
  ["/a/b", "/a/b"],
  ["/a?x=1", "/a"],
  ["/a?b?c=%zz", "/a"],
  ["http://host:80/a", "/a"],
  ["HTTPS://[::1]/a", "/a"],
  ["/a+b", "/a+b"],
  ["/a%2Bb", "/a+b"],
  ["/%23%25%3f", "/#%?"],
  ["/%252F", "/%2F"],
  ["/%25%32%65", "/%2e"],
  ["/20%20%C2%B0C", "/20 °C"],
  ["/...", "/..."],
  ["/.a/b.", "/.a/b."],
  [`/${"%C3%BC".repeat(255)}`, `/${"ü".repeat(255)}`],
])("%s means %s", (target, uri) => {
  expect(parseTarget(target)).toMatchObject({ kind: "resource", uri })
})

test.each([
  ["a", 400],
  ["", 404],
  ["http://host", 404],
  ["ftp://host/a", 400],
  ["//a", 400],
  ["/a/", 400],
  ["/a//b", 400],
  ["/.", 400],
  ["/a/../b", 400],
  ["/a/%2e%2E/b", 400],
  ["/%2e", 400],
  ["/a%2Fb", 400],
  ["/a%2fb", 400],
  ["/a#b", 400],
  ["/a%00", 400],
  ["/a%0a", 400],
  ["/a%7F", 400],
  ["/a%C2%85", 400],
  ["/%", 400],
  ["/%zz", 400],
  ["/%C3", 400],
  ["/%C0%AF", 400],
  ["/%ED%A0%80", 400],
  ["/ü", 400],
  [`/${"a".repeat(maxUriBytes)}`, 414],
  [`/${"%C3%BC".repeat(256)}`, 414],
  [`/a?${"x".repeat(10_000)}`, 414],
  [`/${"a".repeat(10_000)}`, 414],
])("%s means nothing: %i", (target, status) => {
  const found = parseTarget(target)
  expect(found.kind === "elsewhere" ? 404 : found.kind === "refused" && found.status).toBe(status)
})

test("below a base path, that is part of no uri, and what is not below it is elsewhere", () => {
  expect(parseTarget("/r/a", "/r")).toMatchObject({ kind: "resource", uri: "/a" })
  expect(parseTarget("/r/", "/r")).toMatchObject({ kind: "resource", uri: "/" })
  for (const target of ["/r", "/ra", "/a", "/", "/%72/a"]) {
    expect(parseTarget(target, "/r")).toEqual({ kind: "elsewhere" })
  }
  expect(parseTarget("*", "/r")).toEqual({ kind: "server" })
})

test("the query is no part of the uri", () => {
  const found = parseTarget("/a?recursive=1&x=?")
  expect(found.kind === "resource" && [...found.query]).toEqual([
    ["recursive", "1"],
    ["x", "?"],
  ])
})

test("every uri that a resource may have is found again by its encoded form", () => {
  fc.assert(
    fc.property(anyUri, (uri) => {
      expect(encodeUri(uri)).toMatch(/^[!-~]+$/)
      expect(parseTarget(encodeUri(uri))).toMatchObject({ kind: "resource", uri })
    }),
  )
})

const piece = fc.constantFrom(
  "/",
  ".",
  "..",
  "%2e",
  "%2F",
  "%00",
  "%25",
  "a",
  "%C3%BC",
  "%ED%A0%80",
  "?",
  "#",
  "%",
  "\\",
)
const anyTarget = fc.oneof(
  fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join("")}`),
  fc.string({ unit: "binary" }).map((text) => `/${text}`),
)

test("no target comes to a uri with a dot or empty segment, a control character or half a character", () => {
  fc.assert(
    fc.property(anyTarget, (target) => {
      const found = parseTarget(target)
      if (found.kind !== "resource") return
      expect(whyNotUri(found.uri)).toBeUndefined()
      expect(`${found.uri}/`).not.toMatch(/\/\.{1,2}\/|\p{Cc}|\p{Surrogate}/u)
      expect(found.uri === "/" || !`${found.uri}/`.includes("//")).toBe(true)
      expect(parseTarget(encodeUri(found.uri))).toMatchObject({ uri: found.uri })
    }),
    { numRuns: 2_000 },
  )
})
