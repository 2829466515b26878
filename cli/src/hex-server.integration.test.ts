import { encodeHex } from "@serialcast/primitives"
import { seededRandom } from "@serialcast/testkit"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { collectSse } from "./testing/collectors.ts"
import { sendRaw } from "./testing/raw-http.ts"
import { startTestAll, type TestAll, untilOffline } from "./testing/start-test-all.ts"

// The table is that of the original server's recorded behaviour, with the differences that the reference names.

let running: TestAll
beforeAll(async () => {
  running = await startTestAll()
})
afterAll(async () => {
  await running[Symbol.asyncDispose]()
})

const send = (method: string, target: string) =>
  sendRaw(running.httpPort, `${method} ${target} HTTP/1.1\r\nHost: localhost`)

/** Whatever had reached the device would come before this marker. */
async function expectNothingWritten(): Promise<void> {
  expect((await send("GET", "/writebytes/7E")).status).toBe(200)
  expect(await running.pty.read(1)).toEqual(Uint8Array.of(0x7e))
}

describe("a write", () => {
  test.each([
    ["4142", [0x41, 0x42]],
    ["00fFFf0a", [0x00, 0xff, 0xff, 0x0a]],
  ])("of %s is answered Ok when the device has exactly those bytes", async (digits, bytes) => {
    const response = await send("GET", `/writebytes/${digits}`)
    expect(response).toMatchObject({ status: 200, body: "Ok" })
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "cache-control": "no-cache",
      "content-type": "text/plain",
      "content-length": "2",
    })
    expect(await running.pty.read(bytes.length)).toEqual(Uint8Array.from(bytes))
  })

  test("of nothing is answered Ok: a probe", async () => {
    expect(await send("GET", "/writebytes/")).toMatchObject({ status: 200, body: "Ok" })
    await expectNothingWritten()
  })

  test("with two slashes in front, and below the device's own path, works too", async () => {
    expect((await send("GET", "//writebytes/41")).status).toBe(200)
    expect((await send("GET", "/devices/local/pty/writebytes/42")).status).toBe(200)
    expect(await running.pty.read(2)).toEqual(Uint8Array.of(0x41, 0x42))
  })

  test("of 32,754 bytes goes through in one request; one byte more is refused with 414", async () => {
    const random = seededRandom()
    console.log(`seed ${random.seed}`)
    const bytes = random.bytes(32_754)
    for (const path of ["/writebytes/", "/devices/local/pty/writebytes/"]) {
      const response = send("GET", path + encodeHex(bytes))
      expect(await running.pty.read(bytes.byteLength)).toEqual(bytes)
      expect((await response).status).toBe(200)
    }
    const tooLong = await send("GET", `/writebytes/${encodeHex(random.bytes(32_755))}`)
    expect(tooLong).toMatchObject({ status: 414, closed: true })
    await expectNothingWritten()
  })

  test("of an address that does not even fit a head is refused with 414; headers that do not, with 431", async () => {
    const tooLong = await send("GET", `/writebytes/${"41".repeat(50_000)}`)
    expect(tooLong).toMatchObject({ status: 414, closed: true })
    expect(JSON.parse(tooLong.body)).toMatchObject({ code: "uri_too_long" })
    const headers = `Host: localhost\r\nCookie: ${"name=value; ".repeat(10_000)}`
    const tooLarge = await sendRaw(running.httpPort, `GET /writebytes/41 HTTP/1.1\r\n${headers}`)
    expect(tooLarge).toMatchObject({ status: 431, closed: true })
    await expectNothingWritten()
  })

  test("two at once of 30,000 bytes are not interleaved", async () => {
    const [a, b] = [0x61, 0x62].map((value) => new Uint8Array(30_000).fill(value)) as [Uint8Array, Uint8Array]
    const responses = [a, b].map((bytes) => send("GET", `/writebytes/${encodeHex(bytes)}`))
    const both = await running.pty.read(60_000)
    expect(new Set(both.subarray(0, 30_000)).size).toBe(1)
    expect(new Set(both.subarray(30_000)).size).toBe(1)
    expect((await Promise.all(responses)).map(({ status }) => status)).toEqual([200, 200])
  })

  test.each(["4", "414", "0x41", "41+42", "41:42", "41%2042", "%34%31", "4142/", "4142?x=1", "4142zz", "zz"])(
    "of %s is refused whole with 400",
    async (digits) => {
      const response = await send("GET", `/writebytes/${digits}`)
      expect(response).toMatchObject({ status: 400, closed: true })
      expect(response.headers.get("content-type")).toBe("text/html;charset=utf-8")
      expect(response.headers.get("content-length")).toBe(String(response.body.length))
      await expectNothingWritten()
    },
  )

  test.each([
    ["/writebytes/41%2042", "found &#34;%20&#34; after 2 of them"],
    ["/writebytes/41+42", "found &#34;+&#34; after 2 of them"],
    ["/writebytes/414", "found 3 digits"],
  ])("%s is told what is wrong with it", async (target, told) => {
    expect((await send("GET", target)).body).toContain(told)
  })

  test("with a raw space in it is no request line at all: 400, which says how to write it", async () => {
    const response = await send("GET", "/writebytes/41 42")
    expect(response).toMatchObject({ status: 400, closed: true })
    expect(JSON.parse(response.body)).toMatchObject({
      code: "bad_request",
      detail: expect.stringContaining("hex digits after /writebytes/ have none between them"),
    })
    await expectNothingWritten()
  })

  test("that a browser makes ahead of time is refused", async () => {
    const headers = "Host: localhost\r\nSec-Fetch-Site: none\r\nSec-Purpose: prefetch;prerender"
    expect((await sendRaw(running.httpPort, `GET /writebytes/41 HTTP/1.1\r\n${headers}`)).status).toBe(403)
    await expectNothingWritten()
  })
})

describe("other requests", () => {
  test.each(["/", "/favicon.ico", "/writebytes", "/readbytes/", "/readbytes?x=1", "/WRITEBYTES/41"])(
    "%s is unknown: 404",
    async (target) => expect((await send("GET", target)).status).toBe(404),
  )

  test.each(["POST", "PUT", "DELETE", "OPTIONS", "HEAD"])(
    "%s is not allowed: 405 with Allow",
    async (method) => {
      for (const target of ["/readbytes", "/writebytes/41"]) {
        const response = await sendRaw(
          running.httpPort,
          `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close`,
        )
        expect(response.status).toBe(405)
        expect(response.headers.get("allow")).toBe("GET")
      }
    },
  )

  test("HTTP/1.0 without a Host is answered and closed", async () => {
    expect(await sendRaw(running.httpPort, "GET /writebytes/41 HTTP/1.0")).toMatchObject({
      status: 200,
      body: "Ok",
      closed: true,
    })
    await running.pty.read(1)
  })

  test.each([
    ["another site's page", "Host: localhost\r\nSec-Fetch-Site: cross-site", 403],
    ["a page on another port", "Host: localhost\r\nSec-Fetch-Site: same-site", 403],
    ["another origin", "Host: localhost\r\nOrigin: http://evil.example", 403],
    ["a name that was rebound to this machine", "Host: evil.example", 421],
  ])("%s can neither write nor read", async (_who, headers, status) => {
    for (const target of ["/writebytes/41", "/readbytes"]) {
      expect((await sendRaw(running.httpPort, `GET ${target} HTTP/1.1\r\n${headers}`)).status).toBe(status)
    }
    await expectNothingWritten()
  })
})

describe("reading", () => {
  test("the head comes at once, with just the original's headers", async () => {
    const leaving = new AbortController()
    const response = await fetch(`${running.httpUrl}/readbytes`, { signal: leaving.signal })
    expect(response.status).toBe(200)
    expect(response.headers.get("cache-control")).toBe("no-cache")
    expect(response.headers.get("content-type")).toBe("text/event-stream")
    for (const absent of ["content-length", "transfer-encoding", "connection"]) {
      expect(response.headers.has(absent)).toBe(false)
    }
    leaving.abort()
  })

  test("events are upper-case hex, and two readers get every byte each", async () => {
    const bytes = Uint8Array.from({ length: 6_000 }, (_, n) => n & 0xff)
    const urls = [`${running.httpUrl}/readbytes`, `${running.httpUrl}/devices/local/pty/readbytes`]
    const readers = await Promise.all(urls.map((url) => collectSse(url, bytes.byteLength)))
    await running.pty.write(bytes)
    for (const { done } of readers) expect(await done).toEqual(bytes)
  })

  test("an event is the original's three lines with an id before the end", async () => {
    const leaving = new AbortController()
    const response = await fetch(`${running.httpUrl}/readbytes`, { signal: leaving.signal })
    await running.pty.write(Uint8Array.of(0xab, 0x0a))
    const { value } = (await response.body?.pipeThrough(new TextDecoderStream()).getReader().read()) ?? {}
    expect(value).toMatch(/^event: bytes\ndata: AB0A\nid: [0-9a-f]{16}-\d+\n\n$/)
    leaving.abort()
  })
})

test("an offline device: a reader gets 200 and a state event, a writer 500, and bad hex is judged first", async () => {
  await using offline = await startTestAll()
  await offline.pty.unplug()
  await untilOffline(offline.all, "local/pty")
  const leaving = new AbortController()
  const response = await fetch(`${offline.httpUrl}/readbytes`, { signal: leaving.signal })
  expect(response.status).toBe(200)
  const { value } = (await response.body?.pipeThrough(new TextDecoderStream()).getReader().read()) ?? {}
  expect(value).toMatch(/^event: state\ndata: \{"online":false,/)
  leaving.abort()
  const write = (digits: string) =>
    sendRaw(offline.httpPort, `GET /writebytes/${digits} HTTP/1.1\r\nHost: localhost`)
  expect(await write("41")).toMatchObject({ status: 500, closed: true })
  expect(await write("4")).toMatchObject({ status: 400, closed: true })
})
