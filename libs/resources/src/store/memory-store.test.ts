import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import type { Change } from "../table/command.ts"
import { GET } from "../table/resource.ts"
import { createMemoryStore } from "./memory-store.ts"

const add = (uri: string): Change => ({
  kind: "add",
  uri,
  contentType: "text/plain",
  value: new Uint8Array(0),
  methods: GET,
  origin: "static",
})

test("a store holds as many as it may, stamps them by its clock and numbers children by its chance", async () => {
  const clock = new FakeClock()
  const store = createMemoryStore({ maxUri: 2, clock, random: () => 0.5 })
  await store.apply(add("/a"))
  const child = await store.apply({
    kind: "addChild",
    parent: "/a",
    contentType: null,
    value: new Uint8Array(1),
  })
  expect(child).toMatchObject({
    resource: { uri: `/a/${10_000 + (2 ** 31 % 90_000)}`, changedAt: clock.nowMs() },
  })
  expect(await store.apply(add("/b"))).toEqual({ kind: "refused", why: "full", uri: "/b" })
  expect([store.size, store.list("/a/").length, store.get("/b")]).toEqual([2, 1, undefined])
})

test("a change that is not well formed, or no longer wanted, changes nothing", async () => {
  const store = createMemoryStore()
  await expect(store.apply(add("/a/"))).rejects.toMatchObject({ code: "bad_argument" })
  await expect(store.apply(add("/a"), AbortSignal.abort(new Error("gone")))).rejects.toThrow("gone")
  expect(store.size).toBe(0)
})
