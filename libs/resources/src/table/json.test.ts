import fc from "fast-check"
import { expect, test } from "vitest"
import { ResourceError } from "../errors.ts"
import { anyCommand } from "../testing/arbitrary.ts"
import { encodeCommand, parseCommand } from "./command-json.ts"
import { entityTagOf } from "./entity-tag-of.ts"
import { encodeResource, parseResource } from "./resource-json.ts"
import { ResourceTable } from "./resource-table.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

test("a command, and each record that it makes, comes out of JSON as it went in", () => {
  fc.assert(
    fc.property(fc.array(anyCommand, { maxLength: 20 }), (commands) => {
      const table = new ResourceTable()
      for (const command of commands) {
        expect(parseCommand(encodeCommand(command))).toEqual(command)
        table.apply(command)
      }
      for (const resource of table.list()) expect(parseResource(encodeResource(resource))).toEqual(resource)
    }),
  )
})

test("a record that somebody wrote by hand needs no more than a value", () => {
  expect(parseResource('{"v":"21.5"}', { uri: "/a", changedAt: 7 })).toEqual({
    uri: "/a",
    contentType: "text/plain",
    value: bytes("21.5"),
    methods: 1,
    childMethods: 11,
    etag: entityTagOf("text/plain", bytes("21.5")),
    serial: 0,
    changedAt: 7,
    origin: "api",
  })
})

test("a tag that belongs to another value is replaced by the right one", () => {
  const { etag } = parseResource('{"uri":"/a","v":"2","etag":"of-the-value-before"}')
  expect(etag).toBe(entityTagOf("text/plain", bytes("2")))
})

test("text is kept as text that people can read, everything else as base64", () => {
  const encode = (value: Uint8Array) =>
    JSON.parse(encodeResource({ ...parseResource('{"uri":"/a","v":""}'), value })) as object
  expect(encode(bytes("20 °C\0"))).toMatchObject({ enc: "utf8", v: "20 °C\0" })
  expect(encode(Uint8Array.of(0xef, 0xbb, 0xbf, 0x31))).toMatchObject({ enc: "utf8", v: "\ufeff1" })
  expect(encode(Uint8Array.of(0xff, 0))).toMatchObject({ enc: "base64", v: "/wA=" })
})

test.each([32, 128])("%i KiB of control characters are no more in JSON than other bytes", (kib) => {
  // What a broker is asked to take at most.
  const maxPublishedBytes = 192 * 1024
  const value = new Uint8Array(kib * 1024)
  const uri = `/${'"'.repeat(511)}`
  const change = { kind: "put", uri, contentType: null, value, ifMatch: null, ifNoneMatch: null } as const
  const command = encodeCommand({ id: "1", at: 0, seed: 0, maxUri: 1, change })
  const record = encodeResource({ ...parseResource('{"v":""}', { uri }), value })
  for (const json of [command, record]) {
    expect(Buffer.byteLength(json)).toBeLessThan(Math.min(maxPublishedBytes, 1.4 * value.byteLength + 4_096))
  }
  expect(parseCommand(command).change).toEqual(change)
  expect(parseResource(record).value).toEqual(value)
})

test("a time that no calendar has is none", () => {
  const record = '{"uri":"/a","v":"1","ts":8640000000000000}'
  expect(new Date(parseResource(record).changedAt).toISOString()).toBe("+275760-09-13T00:00:00.000Z")
  expect(() => parseResource(record.replace("00}", "01}"))).toThrow(ResourceError)
  const change = { kind: "remove", uri: "/a", recursive: false, ifMatch: null } as const
  const command = encodeCommand({ id: "1", at: 8_640_000_000_000_001, seed: 0, maxUri: 1, change })
  expect(() => parseCommand(command)).toThrow(ResourceError)
})

test.each([
  ["nothing", ""],
  ["a list", "[]"],
  ["null", "null"],
  ["no value", "{}"],
  ["a number as its value", '{"v":21.5}'],
  ["half a surrogate pair", '{"v":"\\ud800"}'],
  ["an encoding that nobody knows", '{"enc":"hex","v":"00"}'],
  ["base64 without padding", '{"enc":"base64","v":"/w"}'],
  ["base64 with bits that belong to nothing", '{"enc":"base64","v":"/x=="}'],
  ["base64 with spaces", '{"enc":"base64","v":"/w ="}'],
  ["a uri without a slash", '{"uri":"a","v":""}'],
  ["a uri of another place", '{"uri":"/b","v":""}'],
  ["a type that is none", '{"ct":"text","v":""}'],
  ["a type that would split a header", '{"ct":"text/plain\\r\\nX: y","v":""}'],
  ["methods that are none", '{"m":16,"v":""}'],
  ["a fraction of a serial", '{"serial":1.5,"v":""}'],
  ["a serial beyond the greatest", '{"serial":4503599627370497,"v":""}'],
  ["a time before 1970", '{"ts":-1,"v":""}'],
  ["an origin that nobody knows", '{"origin":"moon","v":""}'],
])("a record with %s is refused in one clear sentence", (_name, text) => {
  const error = errorOf(() => parseResource(text, { uri: "/a" }))
  expect(error.code).toBe("bad_json")
  expect(error.message).toMatch(/Expected|Begin/)
  expect(error.message).not.toMatch(/[\r\n]/)
})

test.each([
  ["no change", {}],
  ["a change of no kind", { change: { kind: "drop" } }],
  ["a seed of 33 bits", { seed: 2 ** 32 }],
  ["a number as its id", { id: 1 }],
  ["a uri with a dot segment", { change: { kind: "remove", uri: "/a/../b" } }],
  ["a uri with a control character", { change: { kind: "remove", uri: "/a\u0085" } }],
  ["a condition of numbers", { change: { kind: "remove", uri: "/a", ifMatch: [1] } }],
  ["a condition with quotes", { change: { kind: "remove", uri: "/a", ifMatch: ['"x"'] } }],
  ["no value to put", { change: { kind: "put", uri: "/a", ct: null } }],
  ["no type to put, not even null", { change: { kind: "put", uri: "/a", v: "" } }],
])("a command with %s is refused", (_name, rest) => {
  const text = JSON.stringify({ id: "1", at: 0, seed: 0, maxUri: 1, ...rest })
  expect(errorOf(() => parseCommand(text)).code).toBe("bad_json")
})

test("no text makes parsing throw anything else", () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
      for (const parse of [parseResource, parseCommand]) {
        try {
          parse(text)
        } catch (error) {
          expect(error).toBeInstanceOf(ResourceError)
        }
      }
    }),
    { numRuns: 500 },
  )
})

function errorOf(work: () => unknown): ResourceError {
  try {
    work()
  } catch (error) {
    if (error instanceof ResourceError) return error
    throw error
  }
  throw new Error("nothing was refused")
}
