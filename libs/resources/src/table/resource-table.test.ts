import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { anyCommand } from "../testing/arbitrary.ts"
import type { Change, Command, Outcome } from "./command.ts"
import { DELETE, GET, maxSerial, POST, PUT } from "./resource.ts"
import { encodeResource, parseResource } from "./resource-json.ts"
import { ResourceTable } from "./resource-table.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const plain = { contentType: "text/plain", value: bytes("0"), methods: GET, origin: "static" } as const
const free = { ifMatch: null, ifNoneMatch: null } as const

function command(change: Change, rest: Partial<Command> = {}): Command {
  return { id: "1", at: 1_000, seed: 0, maxUri: 100, change, ...rest }
}

/** Applies them all; answers the table and the last outcome. */
function tableOf(...changes: readonly (Change | Command)[]): {
  table: ResourceTable
  last: Outcome | undefined
} {
  const table = new ResourceTable()
  let last: Outcome | undefined
  for (const change of changes) last = table.apply("change" in change ? change : command(change))
  return { table, last }
}

const add = (uri: string, rest: Partial<Extract<Change, { kind: "add" }>> = {}): Change => ({
  kind: "add",
  uri,
  ...plain,
  ...rest,
})

test("what was added is there as it was given, with a tag of its type and value", () => {
  const { table, last } = tableOf(add("/a", { value: bytes("21.5"), methods: GET | PUT }))
  const resource = {
    uri: "/a",
    contentType: "text/plain",
    value: bytes("21.5"),
    methods: GET | PUT,
    childMethods: GET | PUT | DELETE,
    etag: expect.stringMatching(/^[\w-]{22}$/),
    serial: 1,
    changedAt: 1_000,
    origin: "static",
  }
  expect(last).toEqual({ kind: "done", resource })
  expect(table.get("/a")).toEqual(resource)
})

test.each<[string, readonly (Change | Command)[], string, string]>([
  ["a second one of a uri", [add("/a"), add("/a")], "exists", "/a"],
  ["one too many", [add("/a"), command(add("/b"), { maxUri: 1 })], "full", "/b"],
  [
    "a child of nothing",
    [{ kind: "addChild", parent: "/a", contentType: null, value: plain.value }],
    "unknown",
    "/a",
  ],
  [
    "a child too many",
    [
      add("/a"),
      command({ kind: "addChild", parent: "/a", contentType: null, value: plain.value }, { maxUri: 1 }),
    ],
    "full",
    "/a",
  ],
  [
    "a child by POST where none is taken",
    [add("/a"), { kind: "addChild", parent: "/a", contentType: null, value: plain.value, asMethod: true }],
    "method",
    "/a",
  ],
  [
    "a child whose uri would be too long",
    [
      add(`/${"a".repeat(506)}`),
      { kind: "addChild", parent: `/${"a".repeat(506)}`, contentType: null, value: plain.value },
    ],
    "full",
    `/${"a".repeat(506)}`,
  ],
  [
    "a value of nothing",
    [{ kind: "put", uri: "/a", contentType: null, value: plain.value, ...free }],
    "unknown",
    "/a",
  ],
  [
    "a value by PUT where none is taken",
    [add("/a"), { kind: "put", uri: "/a", contentType: null, value: plain.value, ...free, asMethod: true }],
    "method",
    "/a",
  ],
  [
    "a value if it is another one",
    [
      add("/a"),
      { kind: "put", uri: "/a", contentType: null, value: plain.value, ...free, ifMatch: ["other"] },
    ],
    "precondition",
    "/a",
  ],
  [
    "a value if it matches nothing",
    [add("/a"), { kind: "put", uri: "/a", contentType: null, value: plain.value, ...free, ifMatch: [] }],
    "precondition",
    "/a",
  ],
  [
    "a value if there is none",
    [add("/a"), { kind: "put", uri: "/a", contentType: null, value: plain.value, ...free, ifNoneMatch: "*" }],
    "precondition",
    "/a",
  ],
  ["methods of nothing", [{ kind: "methods", uri: "/a", methods: GET }], "unknown", "/a"],
  ["a removal of nothing", [{ kind: "remove", uri: "/a", recursive: true, ifMatch: null }], "unknown", "/a"],
  [
    "a removal by DELETE where none is taken",
    [add("/a"), { kind: "remove", uri: "/a", recursive: false, ifMatch: null, asMethod: true }],
    "method",
    "/a",
  ],
  [
    "a removal of another one",
    [add("/a"), { kind: "remove", uri: "/a", recursive: false, ifMatch: ["other"] }],
    "precondition",
    "/a",
  ],
  [
    "a removal by DELETE with one below that takes none",
    [
      add("/a", { methods: DELETE }),
      add("/a/b"),
      { kind: "remove", uri: "/a", recursive: true, ifMatch: null, asMethod: true },
    ],
    "method",
    "/a/b",
  ],
])("%s is refused and changes nothing", (_name, changes, why, uri) => {
  const { table, last } = tableOf(...changes)
  expect(last).toEqual({ kind: "refused", why, uri })
  const { table: before } = tableOf(...changes.slice(0, -1))
  expect(table.list()).toEqual(before.list())
})

test("resources of devices count towards no limit", () => {
  const { table, last } = tableOf(
    add("/d", { origin: "device" }),
    command(add("/a"), { maxUri: 1 }),
    command(add("/e", { origin: "device" }), { maxUri: 1 }),
  )
  expect(last?.kind).toBe("done")
  expect([table.size, table.counted]).toEqual([3, 1])
})

test("children get the parent's type and its methods for children, and the first free number round from the seed", () => {
  const { table } = tableOf(add("/a", { contentType: "text/csv", childMethods: GET | POST }))
  const child = (seed: number, contentType: string | null = null) =>
    table.apply(command({ kind: "addChild", parent: "/a", contentType, value: bytes("1") }, { seed }))
  expect(child(89_999)).toMatchObject({
    resource: {
      uri: "/a/99999",
      contentType: "text/csv",
      methods: GET | POST,
      childMethods: GET | POST,
      origin: "post",
    },
  })
  expect(child(89_999)).toMatchObject({ resource: { uri: "/a/10000" } })
  expect(child(0, "text/html")).toMatchObject({ resource: { uri: "/a/10001", contentType: "text/html" } })
  expect(child(2 ** 32 - 1)).toMatchObject({ resource: { uri: `/a/${10_000 + ((2 ** 32 - 1) % 90_000)}` } })
})

test("a parent with all numbers taken is full, and its neighbour is not", () => {
  const { table } = tableOf(add("/a"), add("/b"))
  const found = table.get("/a")!
  for (let id = 10_000; id < 100_000; id++) table.restore({ ...found, uri: `/a/${id}`, serial: id })
  const child = (parent: string, seed: number) =>
    table.apply(
      command(
        { kind: "addChild", parent, contentType: null, value: bytes("1") },
        { seed, maxUri: 1_000_000 },
      ),
    )
  expect(child("/a", 5)).toEqual({ kind: "refused", why: "full", uri: "/a" })
  expect(child("/b", 5)).toMatchObject({ kind: "done", resource: { uri: "/b/10005" } })
  table.forget("/a/54321")
  expect(child("/a", 5)).toMatchObject({ kind: "done", resource: { uri: "/a/54321" } })
})

test("a put replaces value, tag and time, and keeps type, methods and place unless it says more", () => {
  const { table } = tableOf(add("/a", { methods: GET | PUT }), add("/b"))
  const before = table.get("/a")!
  const put = (value: string, rest: object = {}) =>
    table.apply(
      command(
        { kind: "put", uri: "/a", contentType: null, value: bytes(value), ...free, ...rest },
        { at: 2_000 },
      ),
    )
  put("1", { ifMatch: ["other", before.etag], ifNoneMatch: ["other"] })
  const after = table.get("/a")!
  expect(after).toEqual({
    ...before,
    value: bytes("1"),
    changedAt: 2_000,
    etag: expect.not.stringMatching(before.etag),
  })
  put("1", { contentType: "application/json" })
  expect(table.get("/a")).toMatchObject({
    contentType: "application/json",
    etag: expect.not.stringMatching(after.etag),
  })
  put("1", { contentType: "text/plain" })
  expect(table.get("/a")?.etag).toBe(after.etag)
  expect(table.list().map(({ uri }) => uri)).toEqual(["/a", "/b"])
})

test("a removal keeps what is below, and takes it along by segments when it is recursive", () => {
  const family = [add("/a"), add("/a/b/c"), add("/ab"), add("/a/b")]
  const remove = (recursive: boolean): Change => ({ kind: "remove", uri: "/a", recursive, ifMatch: null })
  const alone = tableOf(...family, remove(false))
  expect(alone.last).toMatchObject({ kind: "done", resource: { uri: "/a" }, removed: ["/a"] })
  expect(alone.table.list().map(({ uri }) => uri)).toEqual(["/a/b/c", "/ab", "/a/b"])
  const together = tableOf(...family, remove(true))
  expect(together.last).toMatchObject({ removed: ["/a", "/a/b/c", "/a/b"] })
  expect(together.table.list().map(({ uri }) => uri)).toEqual(["/ab"])
})

test("the list is in the order of insertion, by the text that a uri begins with", () => {
  const { table } = tableOf(add("/resource1"), add("/x"), add("/res"), add("/res/12345"))
  expect(table.list("/res").map(({ uri }) => uri)).toEqual(["/resource1", "/res", "/res/12345"])
  expect(table.list()).toHaveLength(4)
})

test("records that come in any order are listed in the order of their insertion", () => {
  const { table: first } = tableOf(add("/c"), add("/a"), add("/b"))
  const table = new ResourceTable()
  for (const record of [...first.list()].reverse()) table.restore(record)
  expect(table.list()).toEqual(first.list())
  table.restore({ ...first.get("/a")!, serial: 0 })
  table.restore({ ...first.get("/b")!, serial: 0 })
  expect(table.list().map(({ uri }) => uri)).toEqual(["/a", "/b", "/c"])
})

test("the next serial follows from what is there, not from what was there before", () => {
  const { table: first } = tableOf(add("/a"), add("/b"), {
    kind: "remove",
    uri: "/b",
    recursive: false,
    ifMatch: null,
  })
  const table = new ResourceTable()
  for (const record of first.list()) table.restore(record)
  for (const one of [first, table]) one.apply(command(add("/c")))
  expect(table.list()).toEqual(first.list())
})

test("a record in place of another one counts as what it is now, and is gone when it is forgotten", () => {
  const { table } = tableOf(add("/a"), add("/b"))
  table.restore({ ...table.get("/a")!, origin: "device" })
  expect([table.counted, table.size]).toEqual([1, 2])
  expect([table.forget("/a"), table.forget("/a"), table.get("/a")]).toEqual([true, false, undefined])
  expect([table.counted, table.size]).toEqual([1, 1])
})

test("a record with the greatest serial leaves room for others", () => {
  const { table } = tableOf(add("/c"))
  table.restore({ ...table.get("/c")!, serial: maxSerial })
  for (const uri of ["/b", "/a"]) table.apply(command(add(uri)))
  expect(table.list().map(({ uri, serial }) => [uri, serial])).toEqual([
    ["/a", maxSerial],
    ["/b", maxSerial],
    ["/c", maxSerial],
  ])
})

test("the same commands give the same outcomes and table, from the start and from the records of another", () => {
  fc.assert(
    fc.property(
      fc.array(anyCommand, { maxLength: 60 }),
      fc.nat(60),
      fc.boolean(),
      (commands, cut, isReversed) => {
        const [one, other, late] = [new ResourceTable(), new ResourceTable(), new ResourceTable()]
        for (const [index, next] of commands.entries()) {
          if (index === cut) {
            const records = isReversed ? one.list().toReversed() : one.list()
            for (const record of records) late.restore(parseResource(encodeResource(record)))
          }
          const outcome = one.apply(next)
          expect(other.apply(next)).toEqual(outcome)
          if (index >= cut) expect(late.apply(next)).toEqual(outcome)
        }
        expect(other.list()).toEqual(one.list())
        if (cut < commands.length) {
          expect(late.list()).toEqual(one.list())
          expect(late.counted).toBe(one.counted)
        }
      },
    ),
  )
})

test("no commands make more than the greatest maxUri of them, or two of one uri or serial", () => {
  fc.assert(
    fc.property(fc.array(anyCommand, { maxLength: 60 }), fc.constantFrom(0, 1, 4), (commands, maxUri) => {
      const table = new ResourceTable()
      for (const next of commands) {
        const before = table.list()
        const outcome = table.apply({ ...next, maxUri })
        const after = table.list()
        if (outcome.kind === "refused") expect(after).toEqual(before)
        expect(table.counted).toBe(after.filter(({ origin }) => origin !== "device").length)
        expect(table.counted).toBeLessThanOrEqual(maxUri)
        expect(table.size).toBe(after.length)
        expect(new Set(after.map(({ uri }) => uri)).size).toBe(after.length)
        expect(new Set(after.map(({ serial }) => serial)).size).toBe(after.length)
      }
    }),
  )
})

describe("what a device says", () => {
  const tell = (
    at: number,
    value: string | null,
    rest: Partial<Extract<Change, { kind: "tell" }>> = {},
  ): Change => ({
    kind: "tell",
    uri: "/d/t",
    contentType: "text/plain",
    value: value === null ? null : bytes(value),
    methods: GET,
    told: { of: "epoch", at },
    below: "/d",
    most: 2,
    ...rest,
  })

  test("makes a resource that does not count, sets it, and takes it away", () => {
    const { table } = tableOf(command(tell(1, "1"), { maxUri: 0 }), tell(2, "2", { methods: GET | PUT }))
    expect(table.get("/d/t")).toMatchObject({ value: bytes("2"), methods: GET | PUT, origin: "device" })
    expect(table.counted).toBe(0)
    expect(table.apply(command(tell(3, null)))).toMatchObject({ kind: "done", removed: ["/d/t"] })
    expect(table.apply(command(tell(4, null)))).toEqual({ kind: "refused", why: "unknown", uri: "/d/t" })
  })

  test.each([
    ["the same word again", tell(2, "x")],
    ["a word of before", tell(1, "x")],
    ["a removal of before", tell(1, null)],
  ])("%s changes nothing, though a client has set it since", (_what, late) => {
    const put: Change = { kind: "put", uri: "/d/t", contentType: null, value: bytes("put"), ...free }
    const { table } = tableOf(tell(2, "2"), put)
    expect(table.apply(command(late))).toEqual({ kind: "refused", why: "precondition", uri: "/d/t" })
    expect(table.get("/d/t")?.value).toEqual(bytes("put"))
  })

  test("of another order counts, whatever its number", () => {
    const { table } = tableOf(tell(9, "9"), tell(1, "1", { told: { of: "other", at: 1 } }))
    expect(table.get("/d/t")).toMatchObject({ value: bytes("1"), told: { of: "other", at: 1 } })
  })

  test("makes so many resources below its own, and is not held up by others there", () => {
    const { table, last } = tableOf(
      add("/d/api"),
      add("/dd", { origin: "device" }),
      tell(1, "1"),
      tell(2, "2", { uri: "/d/u" }),
      tell(3, "3", { uri: "/d/v" }),
    )
    expect(last).toEqual({ kind: "refused", why: "full", uri: "/d/v" })
    expect(table.apply(command(tell(4, "4")))).toMatchObject({ kind: "done" })
  })

  test("sets what somebody else made, as that one may be asked, and does not take it away", () => {
    const { table } = tableOf(add("/d/t", { methods: GET | DELETE }), tell(1, "1"))
    expect(table.get("/d/t")).toMatchObject({ value: bytes("1"), methods: GET | DELETE, origin: "static" })
    expect(table.apply(command(tell(2, null)))).toEqual({ kind: "refused", why: "method", uri: "/d/t" })
  })
})
