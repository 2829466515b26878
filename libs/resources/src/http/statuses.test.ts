import { afterAll, describe, expect, test } from "vitest"
import { StoreUnavailable } from "../errors.ts"
import { DELETE, GET } from "../table/resource.ts"
import { createCertificate } from "../testing/certificate.ts"
import { addTo, startTestServer, type TestServer, type TestServerOptions } from "../testing/test-server.ts"

const certificate = createCertificate()
afterAll(() => certificate.folder[Symbol.dispose]())

const host = "Host: localhost\r\n"
const json = "Content-Type: application/json\r\n"

/** A request of the usual form; `headers` with their line ends. */
function request(line: string, headers = "", body = ""): string {
  const length = body === "" ? "" : `Content-Length: ${body.length}\r\n`
  return `${line} HTTP/1.1\r\n${host}${headers}${length}\r\n${body}`
}

function failing(error: Error): TestServerOptions {
  return { wrap: (store) => ({ ...store, size: 0, apply: () => Promise.reject(error) }) }
}

interface Case {
  readonly what: string
  readonly send: string | ((server: TestServer) => string)
  readonly status: number
  readonly options?: TestServerOptions
  readonly has?: Readonly<Record<string, string | RegExp>>
  readonly body?: RegExp
}

const etagOf = ({ store }: TestServer) => `"${store.get("/a")?.etag}"`

const cases: readonly Case[] = [
  {
    what: "a value that is there",
    send: request("GET /a"),
    status: 200,
    body: /^0$/,
    has: { "content-type": /^text\/plain$/ },
  },
  {
    what: "its head",
    send: request("HEAD /a"),
    status: 200,
    has: { "content-length": "1", etag: /^"[\w-]{22}"$/ },
  },
  { what: "a value with a query", send: request("GET /a?x=1"), status: 200 },
  { what: "a child", send: request("POST /a", json, "{}"), status: 201, has: { location: /^\/a\/\d{5}$/ } },
  { what: "a child without a body", send: request("POST /a"), status: 201 },
  {
    what: "another value",
    send: request("PUT /a", json, "{}"),
    status: 204,
    has: { "content-location": "/a", etag: /^"/ },
  },
  {
    what: "a value of the type in capitals",
    send: request("PUT /a", "Content-Type: TEXT/Plain; charset=utf-8\r\n", "1"),
    status: 204,
  },
  { what: "the end of it", send: request("DELETE /a"), status: 204 },
  {
    what: "what it takes",
    send: request("OPTIONS /a"),
    status: 204,
    has: { allow: "GET, HEAD, PUT, POST, DELETE, OPTIONS" },
  },
  { what: "what the server takes", send: request("OPTIONS *"), status: 204, has: { allow: /PUT/ } },
  {
    what: "a value that was had",
    send: (server) => request("GET /a", `If-None-Match: W/${etagOf(server)}\r\n`),
    status: 304,
    has: { etag: /^"/ },
  },
  {
    what: "a condition without quotes",
    send: request("PUT /a", "If-Match: abc\r\n"),
    status: 400,
    body: /quotes/,
  },
  {
    what: "a recursion of another kind",
    send: request("DELETE /a?recursive=maybe"),
    status: 400,
    body: /recursive=1/,
  },
  {
    what: "a part of a value",
    send: request("PUT /a", "Content-Range: bytes 0-0/2\r\n", "1"),
    status: 400,
    body: /whole/,
  },
  { what: "no host", send: "GET /a HTTP/1.1\r\n\r\n", status: 400, body: /Host/ },
  { what: "two hosts", send: `GET /a HTTP/1.1\r\n${host}host: other\r\n\r\n`, status: 400, body: /one Host/ },
  { what: "a star", send: request("GET *"), status: 400 },
  { what: "what is not there", send: request("PUT /b", json, "{}"), status: 404 },
  {
    what: "a method that it does not take",
    send: request("DELETE /read-only"),
    status: 405,
    has: { allow: "GET, HEAD, OPTIONS" },
  },
  {
    what: "a method that none takes",
    send: request("PATCH /a", json, "{}"),
    status: 405,
    has: { allow: /DELETE/ },
  },
  {
    what: "another type",
    send: request("GET /a", "Accept: text/html, */*;q=0\r\n"),
    status: 406,
    has: { vary: "Accept" },
  },
  {
    what: "a recursive end with one in its way",
    send: request("DELETE /tree?recursive=1"),
    status: 409,
    body: /\/tree\/kept/,
  },
  {
    what: "another value of another one",
    send: request("PUT /a", 'If-Match: "x", W/"y"\r\n', "1"),
    status: 412,
  },
  { what: "a value of another one", send: request("GET /a", 'If-Match: "x"\r\n'), status: 412 },
  { what: "a first value", send: request("PUT /a", "If-None-Match: *\r\n", "1"), status: 412 },
  { what: "the end of another one", send: request("DELETE /a", 'If-Match: "x"\r\n'), status: 412 },
  {
    what: "a body that is announced as too large",
    send: request("PUT /a", "", "x".repeat(32_769)),
    status: 413,
  },
  {
    what: "a body in chunks that becomes too large",
    send: `PUT /a HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n${"1\r\nx\r\n".repeat(32_769)}`,
    status: 413,
  },
  {
    what: "chunks with endless extensions",
    send: `PUT /a HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n1;${"x".repeat(20_000)}\r\nx`,
    status: 413,
  },
  { what: "an address of 10 kB", send: request(`GET /${"a".repeat(10_000)}`), status: 414 },
  { what: "an address of 100 kB", send: `GET /${"a".repeat(100_000)}`, status: 414 },
  {
    what: "a type that nobody takes",
    send: request("POST /a", "Content-Type: application/x-www-form-urlencoded\r\n", "a=b"),
    status: 415,
    body: /application\/json/,
  },
  { what: "a type that is none", send: request("PUT /a", "Content-Type: text\r\n", "1"), status: 415 },
  {
    what: "a compressed body",
    send: request("PUT /a", "Content-Encoding: gzip\r\n", "1"),
    status: 415,
    has: { "accept-encoding": "identity" },
  },
  { what: "what nobody can expect", send: request("PUT /a", "Expect: miracles\r\n"), status: 417 },
  {
    what: "a host that is refused",
    send: request("GET /a"),
    options: { check: () => ({ status: 421, message: "Ask elsewhere." }) },
    status: 421,
    body: /^Ask elsewhere/,
  },
  { what: "endless headers", send: `GET /a HTTP/1.1\r\n${host}X: ${"a".repeat(100_000)}`, status: 431 },
  {
    what: "a store that fails",
    send: request("PUT /a", json, "{}"),
    options: failing(new Error("a secret")),
    status: 500,
    body: /^(?![^]*secret)/,
  },
  { what: "a method that is none", send: request("BREW /a"), status: 501 },
  { what: "a method of WebDAV", send: request("PROPFIND /a"), status: 501 },
  { what: "a tunnel", send: `CONNECT localhost:1 HTTP/1.1\r\n${host}\r\n`, status: 501 },
  {
    what: "a store that is away",
    send: request("PUT /a", json, "{}"),
    options: failing(new StoreUnavailable("the broker is away.")),
    status: 503,
    has: { "retry-after": "1" },
    body: /the broker is away/,
  },
  {
    what: "a store that is not there yet",
    send: request("GET /a"),
    options: {
      wrap: (store) => ({
        ...store,
        size: 0,
        get() {
          throw new StoreUnavailable("it waits for the broker.")
        },
      }),
    },
    status: 503,
    body: /it waits/,
  },
  { what: "HTTP of another age", send: `GET /a HTTP/3.7\r\n${host}\r\n`, status: 505 },
  { what: "HTTP/2", send: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status: 505 },
  { what: "a request of HTTP/2", send: `GET /a HTTP/2.0\r\n${host}\r\n`, status: 505 },
  { what: "one too many", send: request("POST /a", json, "{}"), options: { maxUri: 4 }, status: 507 },
  { what: "no HTTP", send: "hello\r\n\r\n", status: 400 },
  { what: "a header without a name", send: `GET /a HTTP/1.1\r\n${host}: x\r\n\r\n`, status: 400 },
  { what: "a header over two lines", send: `GET /a HTTP/1.1\r\n${host}X: a\r\n b\r\n\r\n`, status: 400 },
  { what: "a space in the address", send: request("GET /a b"), status: 400 },
  { what: "a length that is none", send: request("PUT /a", "Content-Length: x\r\n"), status: 400 },
  { what: "a length below nothing", send: request("PUT /a", "Content-Length: -1\r\n"), status: 400 },
  { what: "two lengths", send: request("PUT /a", "Content-Length: 1\r\nContent-Length: 2\r\n"), status: 400 },
  {
    what: "a length and chunks",
    send: request("PUT /a", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
    status: 400,
  },
  {
    what: "chunks that are none",
    send: request("PUT /a", "Transfer-Encoding: chunked\r\n") + "no chunk\r\n",
    status: 400,
  },
  { what: "a line end where none may be", send: "GET /a\nb HTTP/1.1\r\n\r\n", status: 400 },
]

describe.each([
  ["HTTP", {}],
  ["HTTPS", { tls: certificate }],
])("over %s", (_protocol, tls) => {
  test.each(cases.map((one) => [one.what, one.status, one] as const))(
    "%s is answered with %i, and changes nothing but what it is for",
    async (_what, status, { send, options, has = {}, body = /^/ }) => {
      const server = await startTestServer({ ...tls, ...options })
      addTo(server.store, "/read-only", { methods: GET })
      addTo(server.store, "/tree", { methods: DELETE })
      addTo(server.store, "/tree/kept", { methods: GET })
      const before = server.store.list()
      const client = await server.connect()
      const text = typeof send === "string" ? send : send(server)
      const answer = await client.ask(text)
      expect([answer.status, answer.body]).toEqual([status, expect.stringMatching(body)])
      for (const [name, wanted] of Object.entries(has)) {
        expect(answer.headers.get(name)).toEqual(
          typeof wanted === "string" ? wanted : expect.stringMatching(wanted),
        )
      }
      expect(answer.headers.get("x-content-type-options")).toBe("nosniff")
      if (status >= 400) {
        expect(answer.body).toMatch(/^[A-Z].*[.]\n$/)
        expect(answer.headers.get("content-type")).toBe("text/plain; charset=utf-8")
        expect(server.store.list()).toEqual(before)
      }
    },
  )
})
