import { expect, test } from "vitest"
import { sanitize } from "./sanitize.ts"

const bytes = new TextEncoder().encode("hello")

test("bytes are only counted, at any depth and of any type", () => {
  expect(sanitize(bytes)).toBe("[5 bytes]")
  expect(sanitize({ chunk: { b: Buffer.from(bytes), list: [new Uint16Array(2), bytes.buffer] } })).toEqual({
    chunk: { b: "[5 bytes]", list: ["[4 bytes]", "[5 bytes]"] },
  })
})

test("secrets are known by the name of their key, at any depth", () => {
  const options = { accessToken: "x", password: "x", list: [{ "Set-Cookie": ["x"], Authorization: "x" }] }
  expect(sanitize({ a: { b: { c: options } }, tokenFile: "file" })).toEqual({
    a: {
      b: {
        c: {
          accessToken: "[redacted]",
          password: "[redacted]",
          list: [{ "Set-Cookie": "[redacted]", Authorization: "[redacted]" }],
        },
      },
    },
    tokenFile: "file",
  })
})

test("an error keeps its type, message and stack, and its fields are judged like any others", () => {
  const cause = new TypeError("inner")
  const error = Object.assign(new Error("outer", { cause }), { code: "E1", bytes, options: { token: "x" } })
  expect(sanitize({ nested: { error } })).toEqual({
    nested: {
      error: {
        type: "Error",
        message: "outer: inner",
        stack: expect.stringContaining("caused by: TypeError: inner"),
        code: "E1",
        bytes: "[5 bytes]",
        options: { token: "[redacted]" },
      },
    },
  })
  const aggregate = new AggregateError([Object.assign(new Error("part"), { bytes })], "all")
  expect(sanitize(aggregate)).toMatchObject({ aggregateErrors: [{ message: "part", bytes: "[5 bytes]" }] })
})

test("plain values and what has a JSON form of its own stay readable", () => {
  const at = new Date(0)
  expect(sanitize({ at, url: new URL("mqtt://broker"), none: null, no: undefined, n: 1 })).toEqual({
    at: at.toISOString(),
    url: "mqtt://broker",
    none: null,
    no: undefined,
    n: 1,
  })
})

test("cyclic, deep and wide values end somewhere", () => {
  const cyclic: Record<string, unknown> = {}
  cyclic["self"] = cyclic
  expect(JSON.stringify(sanitize(cyclic))).toContain("[not shown]")
  const wide = Array.from({ length: 100 }, () => Array.from({ length: 100 }, () => "item"))
  expect(JSON.stringify(sanitize(wide)).match(/item/g)).toHaveLength(900)
})

test("other words for secrets are known too, and the token of a lease, whose holder may be told", () => {
  const names = ["passphrase", "apiKey", "api_key", "privateKey", "lease"]
  const secrets = Object.fromEntries(names.map((name) => [name, "x"]))
  expect(Object.values(sanitize(secrets) as object)).toEqual(names.map(() => "[redacted]"))
  expect(sanitize({ lease: { holder: "me" } })).toEqual({ lease: { holder: "me" } })
})
