import { once } from "node:events"
import { readFileSync } from "node:fs"
import { request as requestTls } from "node:https"
import { createServer } from "node:net"
import { createDeferred } from "@serialcast/primitives"
import { eventually } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { createCertificate } from "../testing/certificate.ts"
import { connectRaw } from "../testing/raw-client.ts"
import { HttpServer } from "./http-server.ts"
import type { InitOptions } from "./init-options.ts"

const { GET, PUT, POST, DELETE } = HttpServer
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

async function start(options: InitOptions = {}): Promise<{ server: HttpServer; url: string; port: number }> {
  const server = new HttpServer()
  onTestFinished(() => server[Symbol.asyncDispose]())
  const { host, port } = await server.init({ port: 0, ...options })
  expect(host).toBe("127.0.0.1")
  return { server, url: `http://127.0.0.1:${port}`, port }
}

test("the constants are the original's", () => {
  expect([GET, PUT, POST, DELETE]).toEqual([1, 2, 4, 8])
  expect([
    HttpServer.TEXT,
    HttpServer.XML,
    HttpServer.PLAIN,
    HttpServer.JSON,
    HttpServer.OCTET,
    HttpServer.APP_XML,
  ]).toEqual([
    "text/html",
    "text/xml",
    "text/plain",
    "application/json",
    "application/octet-stream",
    "application/xml",
  ])
})

test("every call before init, a second init, and calls after deinit are refused", async () => {
  const server = new HttpServer()
  onTestFinished(() => server[Symbol.asyncDispose]())
  const notInitialized = expect.objectContaining({ code: "not_initialized" })
  const calls = [
    () => server.addResource("/a"),
    () => server.getResource("/a"),
    () => server.listResource(),
    () => server.removeResource("/a"),
  ]
  for (const call of calls) expect(call).toThrow(notInitialized)
  await expect(server.deinit()).rejects.toEqual(notInitialized)
  const first = server.init({ port: 0 })
  await expect(server.init({ port: 0 })).rejects.toMatchObject({ code: "already_initialized" })
  await first
  const resource = server.addResource("/a")
  await server.deinit()
  for (const call of [...calls, () => resource.value(), () => resource.value("1")])
    expect(call).toThrow(notInitialized)
  await server.init({ port: 0 })
  expect(server.listResource()).toEqual([])
})

test("resources are added, listed, got and removed, each once", async () => {
  const { server } = await start({ maxUri: 3 })
  server.addResource("/resource1", { value: "Hello", contentType: HttpServer.TEXT })
  expect(text(server.addResource("/res").value())).toBe("0")
  server.addResource("/res/12345")
  expect(() => server.addResource("/res")).toThrow(expect.objectContaining({ code: "already_added" }))
  expect(() => server.addResource("/more")).toThrow(expect.objectContaining({ code: "full" }))
  expect(server.listResource()).toEqual(["/resource1", "/res", "/res/12345"])
  expect(server.listResource("/resource")).toEqual(["/resource1"])
  expect(server.getResource("/resource1").contentType).toBe("text/html")
  server.removeResource("/res")
  expect(server.listResource("/res")).toEqual(["/resource1", "/res/12345"])
  const unknown = expect.objectContaining({ code: "unknown_resource" })
  for (const call of [() => server.getResource("/res"), () => server.removeResource("/res")])
    expect(call).toThrow(unknown)
})

test.each([
  ["a uri without a slash", "a", {}],
  ["a uri with a dot segment", "/a/..", {}],
  ["a type that is none", "/a", { contentType: "html" }],
  ["methods that are none", "/a", { childMethods: 16 }],
  ["no number", "/a", { value: Number.NaN }],
  ["a fraction in little-endian", "/a", { value: 1.5, encoding: "le" as const }],
  ["too great a number in little-endian", "/a", { value: 2 ** 32, encoding: "le" as const }],
  ["an object", "/a", { value: {} as unknown as string }],
])("%s adds nothing", async (_what, uri, options) => {
  const { server } = await start()
  expect(() => server.addResource(uri, options)).toThrow(expect.objectContaining({ code: "bad_argument" }))
  expect(server.listResource()).toEqual([])
})

test("values are text, bytes or numbers, and nobody changes them from outside", async () => {
  const { server } = await start()
  const resource = server.addResource("/a")
  const bytes = Uint8Array.of(1, 2)
  resource.value(bytes)
  bytes[0] = 9
  resource.value()[1] = 9
  expect(resource.value()).toEqual(Uint8Array.of(1, 2))
  for (const [value, encoding, wanted] of [
    ["°", "text", [0xc2, 0xb0]],
    [-21.5, "text", [...Buffer.from("-21.5")]],
    [255, "le", [255]],
    [256, "le", [0, 1]],
    [65_536, "le", [0, 0, 1, 0]],
  ] as const) {
    resource.value(value, { encoding })
    expect([...resource.value()]).toEqual(wanted)
  }
})

test("a resource takes the methods that were registered last, and its callback is told of each request to it", async () => {
  const { server, url } = await start()
  const resource = server.addResource("/a", { value: "1" })
  const [first, second]: [unknown[], unknown[]] = [[], []]
  expect((await fetch(`${url}/a`)).status).toBe(405)
  resource.registerRequestHandler(GET, { callback: (...call) => void first.push(call) })
  resource.registerRequestHandler(GET | PUT | POST, { callback: (...call) => void second.push(call) })
  const headers = { "X-Mine": "yes" }
  expect((await fetch(`${url}/a`, { method: "HEAD", headers })).status).toBe(200)
  expect((await fetch(`${url}/a`, { method: "PUT", body: "2" })).status).toBe(204)
  const made = await fetch(`${url}/a`, {
    method: "POST",
    body: Uint8Array.of(0xff),
    headers: { "Content-Type": "application/octet-stream" },
  })
  const newUri = made.headers.get("location") ?? ""
  expect((await fetch(`${url}/a`, { headers: { Accept: "image/png" } })).status).toBe(406)
  expect((await fetch(`${url}/a`, { method: "DELETE" })).status).toBe(405)
  const any = expect.any(Object)
  await eventually(() =>
    expect(second).toEqual([
      ["/a", GET, expect.objectContaining({ "X-Mine": "yes" }), "", "", 200, new Uint8Array(0)],
      ["/a", PUT, any, "2", "", 204, Uint8Array.of(0x32)],
      ["/a", POST, any, "\ufffd", newUri, 201, Uint8Array.of(0xff)],
      ["/a", GET, any, "", "", 406, new Uint8Array(0)],
    ]),
  )
  expect(first).toEqual([])
  expect(server.getResource(newUri).contentType).toBe("application/octet-stream")
})

test("a child that a POST made may be given a handler by the callback, and is gone with its own after a DELETE", async () => {
  const { server, url } = await start()
  const told: string[] = []
  const onDeleted = createDeferred<void>()
  server.addResource("/a", { childMethods: 0 }).registerRequestHandler(POST, {
    callback: (_uri, _method, _headers, _body, newUri) =>
      server.getResource(newUri).registerRequestHandler(DELETE, {
        callback: (uri, method, _h, _b, _n, status) => {
          told.push(`${method} ${uri} ${status}`)
          onDeleted.resolve()
        },
      }),
  })
  const child = (await fetch(`${url}/a`, { method: "POST", body: "1" })).headers.get("location") ?? ""
  await eventually(async () =>
    expect((await fetch(url + child)).headers.get("allow")).toBe("DELETE, OPTIONS"),
  )
  expect((await fetch(url + child, { method: "DELETE" })).status).toBe(204)
  await onDeleted.promise
  expect(told).toEqual([`8 ${child} 204`])
  server.addResource(child).registerRequestHandler(GET)
  expect((await fetch(url + child)).status).toBe(200)
  expect(told).toHaveLength(1)
})

test("a child in place of one that was removed has none of its callback", async () => {
  const { server, url } = await start({ random: () => 0 })
  const told: string[] = []
  server.addResource("/a").registerRequestHandler(POST)
  const make = () => fetch(`${url}/a`, { method: "POST", body: "1" })
  expect((await make()).headers.get("location")).toBe("/a/10000")
  const callback = (uri: string, method: number) => void told.push(`${method} ${uri}`)
  server.getResource("/a/10000").registerRequestHandler(GET | DELETE, { callback })
  expect((await fetch(`${url}/a/10000`, { method: "DELETE" })).status).toBe(204)
  await eventually(() => expect(told).toEqual(["8 /a/10000"]))
  expect((await make()).headers.get("location")).toBe("/a/10000")
  expect((await fetch(`${url}/a/10000`)).status).toBe(200)
  // What comes after it was told of after it.
  const seen = createDeferred<void>()
  server.addResource("/b").registerRequestHandler(GET, { callback: () => seen.resolve() })
  await fetch(`${url}/b`)
  await seen.promise
  expect(told).toHaveLength(1)
})

test("a callback that throws or rejects is told to onError, and the server goes on", async () => {
  const errors: unknown[] = []
  const { server, url } = await start({ onError: (error) => void errors.push(error) })
  const [thrown, rejected] = [new Error("thrown"), new Error("rejected")]
  server.addResource("/a").registerRequestHandler(GET, {
    callback: () => {
      throw thrown
    },
  })
  server.addResource("/b").registerRequestHandler(GET, { callback: () => Promise.reject(rejected) })
  for (const path of ["/a", "/b", "/a"]) expect((await fetch(url + path)).status).toBe(200)
  await eventually(() => expect(errors).toEqual([thrown, rejected, thrown]))
})

test.each([
  ["a name of another", "GET", "Host: evil.example", 421],
  ["a name with more to it", "GET", "Host: localhost@evil.example", 421],
  ["a known name", "GET", "Host: board.local:80", 200],
  ["this machine", "GET", "Host: localhost:80", 200],
  ["an address", "GET", "Host: [::1]:80", 200],
  ["a change from another site", "PUT", "Host: localhost\r\nSec-Fetch-Site: cross-site", 403],
  ["a change from another origin", "PUT", "Host: localhost\r\nOrigin: http://evil.example", 403],
  ["a change from nowhere", "PUT", "Host: localhost\r\nOrigin: null", 403],
  ["a change from its own page", "PUT", "Host: LOCALHOST:8080\r\nOrigin: http://localhost:8080", 204],
  ["a look from another site", "GET", "Host: localhost\r\nSec-Fetch-Site: cross-site", 200],
])("%s (%s, %j) is answered with %i", async (_what, method, headers, status) => {
  const { server, port } = await start({ hosts: ["board.local"] })
  server.addResource("/a").registerRequestHandler(GET | PUT)
  const client = await connectRaw(port)
  expect((await client.ask(`${method} /a HTTP/1.1\r\n${headers}\r\n\r\n`)).status).toBe(status)
})

test("key and certificate make it HTTPS; one alone, port 443 without them, and files that are none are refused", async () => {
  using folder = createCertificate().folder
  const [keyfile, certfile] = [`${folder.path}/key.pem`, `${folder.path}/cert.pem`]
  const { server, port } = await start({ keyfile, certfile })
  server.addResource("/a", { value: "secret" }).registerRequestHandler(GET)
  const request = requestTls({
    host: "localhost",
    port,
    path: "/a",
    ca: readFileSync(certfile),
    agent: false,
  })
  request.end()
  const [response] = (await once(request, "response")) as [NodeJS.ReadableStream]
  expect(String(await once(response, "data"))).toBe("secret")
  const other = new HttpServer()
  for (const options of [
    { port: 0, keyfile },
    { port: 443 },
    { port: 0, keyfile: "/none", certfile: "/none" },
    { port: 0, keyfile: certfile, certfile: keyfile },
  ]) {
    await expect(other.init(options)).rejects.toMatchObject({ code: "bad_argument" })
  }
  // What failed to begin may be tried again.
  await other.init({ port: 0 })
  await other.deinit()
})

test("a port that is taken is told, and deinit ends every connection, in the middle of a request and of a handshake too", async () => {
  const taken = createServer().listen(0, "127.0.0.1")
  onTestFinished(() => void taken.close())
  await once(taken, "listening")
  const { port: takenPort } = taken.address() as { port: number }
  const other = new HttpServer()
  await expect(other.init({ port: takenPort })).rejects.toMatchObject({ code: "listen_failed" })

  using folder = createCertificate().folder
  const tls = { keyfile: `${folder.path}/key.pem`, certfile: `${folder.path}/cert.pem` }
  for (const options of [{}, tls]) {
    const { server, port } = await start(options)
    const clients = await Promise.all([connectRaw(port), connectRaw(port)])
    clients[1]?.send("PUT /a HTTP/1.1\r\nContent-Length: 10\r\n\r\n1")
    await server.deinit()
    await Promise.all(clients.map(({ closed }) => closed))
  }
})
