import { createMemoryBroker, eventually, type MemoryBroker } from "@serialcast/testkit"
import { beforeEach, describe, expect, onTestFinished, test } from "vitest"
import { type TestServer, testServer } from "./testing/test-server.ts"
import { topics } from "./testing/test-store.ts"

let broker: MemoryBroker

beforeEach(async () => {
  broker = await createMemoryBroker()
  onTestFinished(() => broker[Symbol.asyncDispose]())
})

const json = { "Content-Type": "application/json" }

async function add({ url }: TestServer, body: object): Promise<Response> {
  return await fetch(`${url}/api/v1/resources`, { method: "POST", headers: json, body: JSON.stringify(body) })
}

describe("two servers of one broker", () => {
  test("are one to their clients", async () => {
    const [one, other] = [await testServer(broker), await testServer(broker)]
    const made = await add(one, { uri: "/temp", contentType: "application/json", value: '{"c":21.5}' })
    expect([made.status, made.headers.get("location")]).toEqual([201, "/temp"])
    expect(await made.json()).toMatchObject({
      uri: "/temp",
      bytes: 10,
      methods: ["GET", "PUT", "POST", "DELETE"],
    })
    expect((await add(other, { uri: "/temp" })).status).toBe(409)

    const put = await fetch(`${other.url}/temp`, { method: "PUT", headers: json, body: '{"c":22}' })
    expect(put.status).toBe(204)
    const got = await fetch(`${one.url}/temp`)
    expect([got.status, got.headers.get("content-type"), await got.text()]).toEqual([
      200,
      "application/json",
      '{"c":22}',
    ])
    expect(got.headers.get("etag")).toBe(put.headers.get("etag"))

    const child = await fetch(`${one.url}/temp`, { method: "POST", body: "x" })
    expect(child.status).toBe(201)
    const at = child.headers.get("location") ?? ""
    expect(at).toMatch(/^\/temp\/[1-9]\d{4}$/)
    expect((await fetch(`${other.url}${at}`, { method: "DELETE" })).status).toBe(204)
    expect((await fetch(`${one.url}${at}`)).status).toBe(404)
  })

  test("make as many resources as there may be, whoever is asked", async () => {
    const servers = [await testServer(broker, { maxUri: 3 }), await testServer(broker, { maxUri: 3 })]
    const statuses = await Promise.all(
      Array.from({ length: 10 }, async (_, n) => (await add(servers[n % 2]!, { uri: `/r${n}` })).status),
    )
    expect(statuses.sort((a, b) => a - b)).toEqual([...Array(3).fill(201), ...Array(7).fill(507)])
  })
})

describe("the management", () => {
  test("lists, changes and removes", async () => {
    const server = await testServer(broker)
    for (const uri of ["/a", "/ab", "/a/b"]) await add(server, { uri, methods: ["GET"] })
    const list = async (query: string) => {
      const answer = await fetch(`${server.url}/api/v1/resources${query}`)
      const { resources } = (await answer.json()) as {
        readonly resources: readonly { readonly uri: string }[]
      }
      return resources.map(({ uri }) => uri)
    }
    expect(await list("")).toEqual(["/a", "/ab", "/a/b"])
    expect(await list("?uriStart=/a/")).toEqual(["/a/b"])
    expect(await list("?uriStart=/a&by=segment")).toEqual(["/a", "/a/b"])
    expect((await fetch(`${server.url}/a`, { method: "PUT", body: "x" })).status).toBe(405)
    const patched = await fetch(`${server.url}/api/v1/resources?uri=/a`, {
      method: "PATCH",
      body: '{"methods":["GET","PUT"]}',
    })
    expect(await patched.json()).toMatchObject({
      methods: ["GET", "PUT"],
      childMethods: ["GET", "PUT", "DELETE"],
    })
    expect((await fetch(`${server.url}/a`, { method: "PUT", body: "x" })).status).toBe(204)
    const remove = (query: string) => fetch(`${server.url}/api/v1/resources?${query}`, { method: "DELETE" })
    expect((await remove("uri=/a&recursive=1")).status).toBe(204)
    expect((await remove("uri=/a")).status).toBe(404)
    expect(await list("")).toEqual(["/ab"])
  })

  test.each([
    ["no JSON", "{", 400],
    ["no uri", "{}", 400],
    ["a uri that is none", '{"uri":"/a/../b"}', 400],
    ["a uri of its own", '{"uri":"/api/v1/x"}', 400],
    ["an unknown member", '{"uri":"/a","x":1}', 400],
    ["a type that is none", '{"uri":"/a","contentType":"text"}', 400],
    ["methods that are none", '{"uri":"/a","methods":["PATCH"]}', 400],
    ["a value that is none", '{"uri":"/a","value":1}', 400],
    ["base64 that is none", '{"uri":"/a","base64":"!"}', 400],
    ["too long a value", JSON.stringify({ uri: "/a", value: "x".repeat(33_000) }), 413],
  ])("refuses %s, and changes nothing", async (_what, body, status) => {
    const server = await testServer(broker)
    const answer = await fetch(`${server.url}/api/v1/resources`, { method: "POST", body })
    expect([answer.status, server.server.store.size]).toEqual([status, 0])
    expect(await answer.json()).toMatchObject({ status, detail: expect.any(String), fix: expect.any(String) })
  })

  test("has no other path and no other method", async () => {
    const { url } = await testServer(broker)
    expect((await fetch(`${url}/api/v2`)).status).toBe(404)
    const answer = await fetch(`${url}/api/v1/resources`, { method: "PUT" })
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "DELETE, GET, HEAD, PATCH, POST"])
  })
})

test("each request that was answered is told on the broker, without what admits its client", async () => {
  const server = await testServer(broker)
  await add(server, { uri: "/a+b" })
  const headers = { Authorization: "Bearer x", Cookie: "y=z", "X-Mine": "1" }
  await fetch(`${server.url}/a+b`, { method: "PUT", headers, body: Uint8Array.of(0xff) })
  await fetch(`${server.url}/a+b`, { method: "POST", body: "text" })
  const events = () =>
    broker
      .published(topics.resourceEvent("/a+b").topic)
      .map(({ payload }) => JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown>)
  await eventually(() => expect(events()).toHaveLength(2))
  expect(events()).toMatchObject([
    { uri: "/a+b", method: "PUT", body: "/w==", enc: "base64", newUri: "", status: 204 },
    {
      uri: "/a+b",
      method: "POST",
      body: "text",
      status: 201,
      newUri: expect.stringMatching(/^\/a\+b\/\d{5}$/),
    },
  ])
  const names = Object.keys(events()[0]?.["headers"] as object).map((name) => name.toLowerCase())
  expect(names).toContain("x-mine")
  expect(names).not.toContain("authorization")
  expect(names).not.toContain("cookie")
})

test("a body of control characters is told too", async () => {
  const server = await testServer(broker, { maxBody: 128 * 1024 })
  await add(server, { uri: "/a" })
  const body = new Uint8Array(128 * 1024)
  expect((await fetch(`${server.url}/a`, { method: "PUT", body })).status).toBe(204)
  const { topic } = topics.resourceEvent("/a")
  await eventually(() => expect(broker.published(topic)).toHaveLength(1))
  const event = JSON.parse(Buffer.from(broker.published(topic)[0]!.payload).toString()) as object
  expect(event).toMatchObject({ enc: "base64", body: Buffer.from(body).toString("base64") })
})

test("another site's page changes and reads nothing, under another name nobody does", async () => {
  const server = await testServer(broker)
  await add(server, { uri: "/a" })
  for (const headers of [{ Origin: "http://evil.example" }, { "Sec-Fetch-Site": "cross-site" }])
    expect((await fetch(`${server.url}/a`, { method: "POST", headers, body: "x" })).status).toBe(403)
  expect(server.server.store.size).toBe(1)
})

test("where a token is needed, it is for resources and management, and no page's cookie will do", async () => {
  const token = "a-token-of-some-length"
  const { url } = await testServer(broker, {}, token)
  for (const path of ["/a", "/api/v1/resources"]) {
    expect((await fetch(url + path)).status).toBe(401)
    expect((await fetch(url + path, { headers: { Authorization: `Bearer ${token}` } })).status).not.toBe(401)
  }
})

test("while the broker is away nothing is changed, and the answer says so", async () => {
  const server = await testServer(broker)
  await add(server, { uri: "/a" })
  await broker[Symbol.asyncDispose]()
  await eventually(() => expect(server.server.isReady()).toBe(false))
  const answer = await fetch(`${server.url}/a`, { method: "PUT", body: "x" })
  expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"])
}, 30_000)
