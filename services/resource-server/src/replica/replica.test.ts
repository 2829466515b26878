import type { Change as TableChange } from "@serialcast/resources"
import { FakeClock } from "@serialcast/testkit"
import { beforeEach, expect, test } from "vitest"
import type { Adoption, Change } from "./messages.ts"
import { Replica } from "./replica.ts"
import { shardOf } from "./shards.ts"

let clock: FakeClock
let replica: Replica

beforeEach(() => {
  clock = new FakeClock()
  replica = new Replica(clock)
  apply({ kind: "add", uri: "/a", contentType: "text/plain", value: bytes("1"), methods: 3, origin: "api" })
  replica.heard("/a", replica.wordOn("/a"))
  replica.heardShard(shardOf("/a"), bytes(replica.wordOnShard(shardOf("/a"))))
})

const bytes = (text: string) => new TextEncoder().encode(text)

function apply(change: TableChange) {
  const message: Change = {
    kind: "change",
    by: "other",
    id: "1",
    command: { id: "1", at: 0, seed: 0, maxUri: 2, change },
  }
  return replica.apply(message)
}

function adopt(uri: string, text: string) {
  const message: Adoption = { kind: "adopt", by: "other", id: "1", at: 0, maxUri: 2, uri, text }
  return replica.apply(message)
}

const put = (value: string): TableChange => ({
  kind: "put",
  uri: "/a",
  contentType: null,
  value: bytes(value),
  ifMatch: null,
  ifNoneMatch: null,
})
const remove: TableChange = { kind: "remove", uri: "/a", recursive: false, ifMatch: null }
const overdue = () => {
  clock.advance(10_000)
  return replica.overdue().uris
}

test("what a server said is known when it is heard, whatever came in between", () => {
  const first = replica.wordOn("/a")
  apply(put("2"))
  expect(replica.heard("/a", replica.wordOn("/a"))).toBe("known")
  expect(overdue()).toEqual([])
  // Its sender was slow: it overwrote what came after it.
  expect(replica.heard("/a", first)).toBe("known")
  expect(overdue()).toEqual(["/a"])
})

test("what nobody says though it should be said is overdue, again and again", () => {
  apply(put("2"))
  expect(overdue()).toEqual(["/a"])
  expect(overdue()).toEqual(["/a"])
  replica.heard("/a", replica.wordOn("/a"))
  expect(overdue()).toEqual([])
})

test("what somebody else says is foreign", () => {
  const own = replica.wordOn("/a")
  for (const text of ['{"v":"2"}', own.replace('"v":"1"', '"v":"2"'), own.replace('"m":3', '"m":1'), ""])
    expect(replica.heard("/a", text), text).toBe("foreign")
  expect(replica.heard("/new", '{"v":"2"}')).toBe("foreign")
  expect(overdue()).toEqual([])
})

test("what is no resource is refused; where one should stand it is put right", () => {
  expect(() => replica.heard("/b", "{")).toThrow(expect.objectContaining({ code: "bad_json" }))
  expect(() => replica.heard("/a", '{"v":1}')).toThrow(expect.objectContaining({ code: "bad_json" }))
  expect(() => replica.heard("/a", '{"uri":"/b","v":"1"}')).toThrow(
    expect.objectContaining({ code: "bad_json" }),
  )
  expect(overdue()).toEqual(["/a"])
})

test("the empty word of a removal does not take away what was made after it", () => {
  const before = replica.wordOn("/a")
  apply(remove)
  apply({ kind: "add", uri: "/a", contentType: "text/plain", value: bytes("new"), methods: 1, origin: "api" })
  expect(replica.heard("/a", "")).toBe("known")
  replica.heard("/a", replica.wordOn("/a"))
  expect(replica.heard("/a", "")).toBe("known")
  expect(replica.heard("/a", before)).toBe("known")
  expect(overdue()).toEqual(["/a"])
  clock.advance(60_000)
  replica.heard("/a", replica.wordOn("/a"))
  expect(replica.heard("/a", "")).toBe("foreign")
})

test("an adoption is done once, whoever asks for it, and never makes more than there may be", () => {
  expect(adopt("/a", '{"v":"2","ct":"application/json","m":1}')).toMatchObject({ uris: ["/a"], shards: [] })
  expect(replica.get("/a")).toMatchObject({ contentType: "application/json", methods: 1, serial: 1 })
  expect(adopt("/a", '{"v":"2","ct":"application/json","m":1}')).toMatchObject({ uris: [] })
  expect(adopt("/b", '{"v":"2"}')).toMatchObject({ uris: ["/b"], shards: [shardOf("/b")] })
  expect(adopt("/c", '{"v":"2"}')).toMatchObject({ outcome: { why: "full" }, uris: ["/c"] })
  expect(replica.wordOn("/c")).toBe("")
  expect(adopt("/b", "")).toMatchObject({ uris: ["/b"] })
  expect(adopt("/b", "")).toMatchObject({ outcome: { why: "unknown" }, uris: [] })
  expect([replica.size, replica.valueBytes]).toEqual([1, 1])
})

test("what one is told of another makes it the same, and what follows does too", () => {
  apply(put("2"))
  apply({ kind: "addChild", parent: "/a", contentType: null, value: bytes("child") })
  const copy = new Replica(clock)
  copy.restore(replica.known(), replica.rev)
  expect([copy.known(), copy.rev, copy.valueBytes]).toEqual([replica.known(), 3, 6])
  expect(copy.wordOnShard(shardOf("/a"))).toBe(replica.wordOnShard(shardOf("/a")))
})

test("an index that does not say what there is is put right", () => {
  replica.heardShard(shardOf("/a"), bytes('["/b"]'))
  clock.advance(10_000)
  expect(replica.overdue().shards).toEqual([shardOf("/a")])
})

test("what comes with the greatest number is followed by greater ones all the same", () => {
  const { etag } = replica.get("/a")!
  adopt("/b", JSON.stringify({ v: "1", etag, rev: Number.MAX_SAFE_INTEGER }))
  for (const uri of ["/a", "/b"]) {
    apply({ ...put("2"), uri } as TableChange)
    expect(replica.heard(uri, replica.wordOn(uri))).toBe("known")
  }
  const heir = new Replica(clock)
  heir.restore([{ resource: replica.get("/a")!, rev: Number.MAX_SAFE_INTEGER }])
  expect(heir.rev).toBe(0)
})

test("there is an end to what devices and others may make, whatever limits they name", () => {
  const command = { id: "1", at: 0, seed: 0, maxUri: 1e9 }
  const make = (uri: string, origin: "api" | "device") => {
    const rest = { contentType: "text/plain", value: bytes("1"), methods: 3, origin }
    return replica.apply({
      kind: "change",
      by: "x",
      id: "1",
      command: { ...command, change: { kind: "add", uri, ...rest } },
    })
  }
  for (let n = 0; n < 32_767; n++) make(`/x/${n}`, n % 2 === 0 ? "api" : "device")
  expect(replica.size).toBe(32_768)
  for (const origin of ["api", "device"] as const)
    expect(make("/more", origin).outcome).toMatchObject({ kind: "refused", why: "full" })
  const { etag } = replica.get("/a")!
  expect(adopt("/more", JSON.stringify({ v: "1", etag, rev: 1, origin: "device" }))).toMatchObject({
    outcome: { kind: "refused", why: "full" },
    uris: ["/more"],
  })
  expect(apply(put("2")).outcome).toMatchObject({ kind: "done" })
})

test("what is known is listed once for all who say hello, until something changes", () => {
  const before = replica.known()
  expect(replica.known()).toBe(before)
  const changes = [() => apply(put("2")), () => adopt("/b", '{"v":"1"}'), () => apply(remove)]
  for (const change of changes) {
    const last = replica.known()
    change()
    expect(replica.known()).not.toBe(last)
  }
  expect(replica.known()).toMatchObject([{ resource: { uri: "/b" } }, { gone: "/a" }])
  expect(before).toMatchObject([{ resource: { uri: "/a", value: bytes("1") } }])
  const heir = new Replica(clock)
  expect(heir.known()).toEqual([])
  heir.restore(replica.known(), replica.rev)
  expect(heir.known()).toEqual(replica.known())
})
