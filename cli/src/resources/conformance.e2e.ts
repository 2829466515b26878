import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { DELETE, GET, HttpServer, POST, PUT } from "@serialcast/resources"
import { createTemporaryFolder, eventually, freePort } from "@serialcast/testkit"
import { afterAll, beforeAll, expect, test } from "vitest"
import type { KillableService } from "../testing/killable-service.ts"
import { curl, send } from "./testing/curl.ts"
import { startResourceProcesses } from "./testing/resource-processes.ts"

/** The addresses to ask in turn, as a balancer would. */
interface Served extends AsyncDisposable {
  readonly urls: readonly string[]
  /** Without it nothing can be changed. */
  readonly broker?: KillableService
}

const methods = GET | PUT | POST | DELETE
const names = ["GET", "PUT", "POST", "DELETE"]
const json = ["-H", "Content-Type: application/json"]
const folder = createTemporaryFolder()
const tls = { cert: join(folder.path, "cert.pem"), key: join(folder.path, "key.pem") }

beforeAll(() => {
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
  const files = ["-subj", "/CN=localhost", "-keyout", tls.key, "-out", tls.cert]
  execFileSync("openssl", ["req", "-x509", ...kind, ...files], { stdio: "ignore" })
})
afterAll(() => folder[Symbol.dispose]())

/** With what they take. */
const made = [
  ["/a", names],
  ["/get", ["GET"]],
  ["/p", names],
  ["/p/kept", ["GET"]],
] as const

async function serveFromMemory(isSecure: boolean): Promise<Served> {
  const port = await freePort()
  const server = new HttpServer()
  const files = isSecure ? { certfile: tls.cert, keyfile: tls.key } : {}
  await server.init({ port, maxUri: 7, ...files })
  for (const [uri, takes] of made) {
    server.addResource(uri, { contentType: "text/plain", value: "0" })
    server.getResource(uri).registerRequestHandler(takes.length > 1 ? methods : GET, {})
  }
  return {
    urls: [`${isSecure ? "https" : "http"}://localhost:${port}`],
    [Symbol.asyncDispose]: () => server.deinit(),
  }
}

async function serveFromBroker(isSecure: boolean, servers: number): Promise<Served> {
  const processes = await startResourceProcesses({ servers, maxUri: 7, ...(isSecure ? { tls } : {}) })
  const [url = ""] = processes.urls
  for (const [uri, takes] of made) {
    const body = JSON.stringify({ uri, value: "0", methods: takes })
    await eventually(async () =>
      expect([201, 409]).toContain((await curl([`${url}/api/v1/resources`, "-d", body])).status),
    )
  }
  // The others have started, too.
  for (const one of processes.urls)
    await eventually(async () => expect((await curl([`${one}/p/kept`])).status).toBe(200))
  return processes
}

interface Case {
  readonly what: string
  readonly status: number
  readonly args: (url: string) => readonly string[]
  readonly input?: string
  /** Sent as it is, and not by curl. */
  readonly text?: string
  readonly has?: Readonly<Record<string, RegExp>>
}

const long = (count: number) => "x".repeat(count)

const cases: readonly Case[] = [
  { what: "a value", status: 200, args: (url) => [`${url}/a`], has: { etag: /^"[\w-]{22}"$/ } },
  { what: "a value, its query ignored", status: 200, args: (url) => [`${url}/a?x=1`] },
  { what: "its head", status: 200, args: (url) => ["-I", `${url}/a`], has: { "content-length": /^1$/ } },
  {
    what: "what it takes",
    status: 204,
    args: (url) => ["-X", "OPTIONS", `${url}/get`],
    has: { allow: /^GET, HEAD, OPTIONS$/ },
  },
  {
    what: "a value that curl has",
    status: 304,
    args: (url) => ["-H", `If-None-Match: ${etag0}`, `${url}/a`],
  },
  {
    what: "another value",
    status: 204,
    args: (url) => ["-X", "PUT", ...json, "-d", "0", `${url}/a`],
    has: { "content-location": /^\/a$/ },
  },
  {
    what: "the value back",
    status: 204,
    args: (url) => ["-X", "PUT", "-H", "Content-Type: text/plain", "-d", "0", `${url}/a`],
  },
  {
    what: "a body in chunks",
    status: 204,
    args: (url) => ["-T", "-", "-H", "Content-Type: text/plain", `${url}/a`],
    input: "0",
  },
  {
    what: "a condition that is none",
    status: 400,
    args: (url) => ["-X", "PUT", "-H", "If-Match: x", `${url}/a`],
  },
  { what: "dot segments", status: 400, args: (url) => [`${url}/a/../get`] },
  { what: "dot segments in disguise", status: 400, args: (url) => [`${url}/a/%2e%2e/get`] },
  { what: "an encoded slash", status: 400, args: (url) => [`${url}/a%2Fb`] },
  { what: "NUL", status: 400, args: (url) => [`${url}/a%00`] },
  { what: "what is not there", status: 404, args: (url) => [`${url}/b`] },
  { what: "what is no wildcard", status: 404, args: (url) => [`${url}/%23`] },
  { what: "what is no wildcard either", status: 404, args: (url) => [`${url}/+`] },
  {
    what: "a method that it does not take",
    status: 405,
    args: (url) => ["-X", "DELETE", `${url}/get`],
    has: { allow: /^GET, HEAD, OPTIONS$/ },
  },
  { what: "a type that it is not", status: 406, args: (url) => ["-H", "Accept: image/png", `${url}/a`] },
  {
    what: "a type that it is, among others",
    status: 200,
    args: (url) => ["-H", "Accept: image/png, text/*;q=0.5", `${url}/a`],
  },
  {
    what: "a body that stops",
    status: 408,
    args: (url) => [
      "-X",
      "PUT",
      "-H",
      "Content-Type: text/plain",
      "-H",
      "Content-Length: 2",
      "-d",
      "0",
      `${url}/a`,
    ],
  },
  {
    what: "the end of what would take something with it that stays",
    status: 409,
    args: (url) => ["-X", "DELETE", `${url}/p?recursive=1`],
  },
  {
    what: "a condition that does not hold",
    status: 412,
    args: (url) => ["-X", "PUT", "-H", 'If-Match: "x"', `${url}/a`],
  },
  {
    what: "too much",
    status: 413,
    args: (url) => ["-X", "PUT", "-H", "Content-Type: text/plain", "-d", long(32_769), `${url}/a`],
  },
  { what: "too long an address", status: 414, args: (url) => [`${url}/${long(10_000)}`] },
  {
    what: "a type that is none of the six",
    status: 415,
    args: (url) => ["-X", "PUT", "-H", "Content-Type: image/png", "-d", "0", `${url}/a`],
  },
  { what: "too many headers", status: 431, args: (url) => ["-H", `X: ${long(20_000)}`, `${url}/a`] },
  { what: "a method that nobody knows", status: 501, args: (url) => ["-X", "BREW", `${url}/a`] },
  {
    what: "a version that nobody speaks",
    status: 505,
    args: () => [],
    text: "GET /a HTTP/3.1\r\nHost: localhost\r\n\r\n",
  },
  {
    what: "children, up to as many as there may be",
    status: 201,
    args: (url) => ["-d", "0", "-H", "Content-Type: text/plain", `${url}/a`],
    has: { location: /^\/a\/[1-9]\d{4}$/ },
  },
  {
    what: "another child",
    status: 201,
    args: (url) => ["-d", "0", "-H", "Content-Type: text/plain", `${url}/a`],
  },
  {
    what: "the last child",
    status: 201,
    args: (url) => ["-d", "0", "-H", "Content-Type: text/plain", `${url}/a`],
  },
  {
    what: "one too many",
    status: 507,
    args: (url) => ["-d", "0", "-H", "Content-Type: text/plain", `${url}/a`],
  },
  {
    what: "the end of it with all below",
    status: 204,
    args: (url) => ["-X", "DELETE", `${url}/a?recursive=1`],
  },
  { what: "what was there", status: 404, args: (url) => [`${url}/a`] },
]

/** Of the value 0 as text/plain. */
let etag0 = ""

test.concurrent.each<[string, () => Promise<Served>]>([
  ["memory, HTTP", () => serveFromMemory(false)],
  ["memory, HTTPS", () => serveFromMemory(true)],
  ["a broker, one server, HTTP", () => serveFromBroker(false, 1)],
  ["a broker, one server, HTTPS", () => serveFromBroker(true, 1)],
  ["a broker, two servers in turn, HTTP", () => serveFromBroker(false, 2)],
  ["a broker, two servers in turn, HTTPS", () => serveFromBroker(true, 2)],
])("each request has its status, by curl: %s", async (_name, serve) => {
  await using served = await serve()
  const { urls } = served
  etag0 = (await curl([`${urls[0]}/a`])).headers.get("etag") ?? ""
  const wrong: unknown[] = []
  for (const [at, { what, status, args, input, text, has = {} }] of cases.entries()) {
    const url = urls[at % urls.length] ?? ""
    const answer = text === undefined ? await curl(args(url), input) : await send(url, text)
    const isRight =
      answer.status === status &&
      Object.entries(has).every(([name, pattern]) => pattern.test(answer.headers.get(name) ?? ""))
    if (!isRight) wrong.push({ what, expected: status, ...answer })
  }
  expect(wrong).toEqual([])
  if (served.broker === undefined) return
  await served.broker.kill()
  for (const url of urls) {
    const answer = await curl(["-X", "PUT", "-H", "Content-Type: text/plain", "-d", "0", `${url}/p`])
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"])
  }
})
