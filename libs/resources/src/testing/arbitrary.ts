import fc from "fast-check"
import type { Change, Command } from "../table/command.ts"
import { allMethods, resourceOrigins } from "../table/resource.ts"
import { whyNotUri } from "../uri/canonical-uri.ts"

/** Few enough that changes meet each other. */
const commonUri = fc.constantFrom(
  "/",
  "/a",
  "/a/b",
  "/ab",
  "/a/10000",
  "/a/99999",
  "/%2e%",
  "/a+b#c?d",
  "/ü/10001",
)
const segment = fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" })

/** Any uri that a resource may have. */
export const anyUri = fc
  .array(segment, { minLength: 1, maxLength: 5 })
  .map((segments) => `/${segments.join("/")}`)
  .filter((uri) => whyNotUri(uri) === undefined)

const uri = fc.oneof({ weight: 4, arbitrary: commonUri }, anyUri)
const contentType = fc.constantFrom("text/plain", "application/json", 'text/html; charset="utf-8"')
const value = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.string().map((text) => new TextEncoder().encode(text)),
)
const methods = fc.nat(allMethods)
const condition = fc.constantFrom<readonly string[] | "*" | null>(null, null, "*", [], ["none-of-these"])
const maybeType = fc.option(contentType)

const anyChange: fc.Arbitrary<Change> = fc.oneof(
  fc.record(
    {
      kind: fc.constant("add" as const),
      uri,
      contentType,
      value,
      methods,
      childMethods: methods,
      origin: fc.constantFrom(...resourceOrigins),
    },
    { requiredKeys: ["kind", "uri", "contentType", "value", "methods", "origin"] },
  ),
  fc.record(
    {
      kind: fc.constant("addChild" as const),
      parent: uri,
      contentType: maybeType,
      value,
      asMethod: fc.boolean(),
    },
    { requiredKeys: ["kind", "parent", "contentType", "value"] },
  ),
  fc.record(
    {
      kind: fc.constant("put" as const),
      uri,
      contentType: maybeType,
      value,
      ifMatch: condition,
      ifNoneMatch: condition,
      asMethod: fc.boolean(),
    },
    { requiredKeys: ["kind", "uri", "contentType", "value", "ifMatch", "ifNoneMatch"] },
  ),
  fc.record(
    { kind: fc.constant("methods" as const), uri, methods, childMethods: methods },
    { requiredKeys: ["kind", "uri", "methods"] },
  ),
  fc.record(
    {
      kind: fc.constant("remove" as const),
      uri,
      recursive: fc.boolean(),
      ifMatch: condition,
      asMethod: fc.boolean(),
    },
    { requiredKeys: ["kind", "uri", "recursive", "ifMatch"] },
  ),
  fc.record({
    kind: fc.constant("tell" as const),
    uri,
    contentType,
    value: fc.option(value),
    methods,
    told: fc.record({ of: fc.constantFrom("one", "other"), at: fc.nat(9) }),
    below: uri,
    most: fc.nat(4),
  }),
)

export const anyCommand: fc.Arbitrary<Command> = fc.record({
  id: fc.string(),
  at: fc.nat(),
  // Near both ends of the numbers, so that they meet and come round.
  seed: fc.oneof(
    fc.nat(3),
    fc.integer({ min: 89_998, max: 90_001 }),
    fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  ),
  maxUri: fc.constantFrom(0, 3, 6, 100),
  change: anyChange,
})
