import { once } from "node:events"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { request } from "node:http"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest"
import { startTestConsole } from "../testing/test-console.ts"

const token = "a-token-of-many-letters"
let pageDir = ""

beforeAll(async () => {
  pageDir = await mkdtemp(join(tmpdir(), "serialcast-page-"))
  await mkdir(join(pageDir, "assets"))
  await writeFile(join(pageDir, "index.html"), "<!doctype html><title>page</title>")
  await writeFile(join(pageDir, "assets", "index-1a2b.js"), "export {}")
})
afterAll(() => rm(pageDir, { recursive: true }))

const start = () => startTestConsole({ token, pageDir })

/** `fetch` sets Host and the fetch metadata itself; this sends what it is told. */
function get(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on("error", reject)
      .end()
  })
}

test("the page needs no token, is not kept, and may use nothing but its own files", async () => {
  await using app = await start()
  const response = await fetch(app.url)
  expect(await response.text()).toContain("<title>page</title>")
  expect(response.headers.get("cache-control")).toBe("no-store")
  expect(response.headers.get("x-content-type-options")).toBe("nosniff")
  // The session's cookie alone is no proof where browsers send neither Fetch Metadata nor Origin: the Referer is.
  expect(response.headers.get("referrer-policy")).toBe("same-origin")
  const policy = response.headers.get("content-security-policy")
  expect(policy).toContain("default-src 'none'; script-src 'self';")
  expect(policy).toContain("frame-ancestors 'none'")
})

test("a file of the page is kept for ever, and a missing one is a problem document", async () => {
  await using app = await start()
  const file = await fetch(`${app.url}/assets/index-1a2b.js`)
  expect(file.headers.get("cache-control")).toBe("public, max-age=31536000, immutable")
  const missing = await fetch(`${app.url}/assets/other.js`)
  expect([missing.status, await missing.json()]).toMatchObject([404, { code: "unknown_path" }])
})

test("a page that is not built says so", async () => {
  await using app = await startTestConsole({ pageDir: join(pageDir, "nowhere") })
  const response = await fetch(app.url)
  expect([response.status, await response.text()]).toEqual([503, expect.stringContaining("npm run build")])
})

test("the list of devices needs the token, as bearer or as the session's cookie", async () => {
  await using app = await start()
  const devices = `${app.url}/api/v1/devices`
  expect((await fetch(devices)).status).toBe(401)
  const response = await fetch(devices, { headers: { Authorization: `Bearer ${token}` } })
  expect(await response.json()).toMatchObject({ devices: [{ gateway: "local", device: "uno" }] })
})

test("a link with the token logs in and vanishes from the address bar", async () => {
  await using app = await start()
  const response = await fetch(`${app.url}/?token=${token}`, { redirect: "manual" })
  expect([response.status, response.headers.get("location")]).toEqual([303, "."])
  const cookie = response.headers.get("set-cookie")?.split(";")[0] ?? ""
  // What a browser adds where it sends neither Fetch Metadata nor Origin: plain http on a network.
  const devices = (referer: string) => get(`${app.url}/api/v1/devices`, { Cookie: cookie, Referer: referer })
  expect(await devices(`${app.url}/`)).toBe(200)
  expect(await devices("http://evil.example/")).toBe(403)
})

test.each(["cross-site", "same-site"])("a %s page cannot try tokens, nor log a browser in", async (site) => {
  await using app = await start()
  const link = { "Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document" }
  for (let attempt = 0; attempt < 12; attempt++) expect(await get(`${app.url}/?token=wrong`, link)).toBe(200)
  expect(await get(`${app.url}/?token=${token}`, link)).toBe(200)
  expect(await get(`${app.url}/?token=wrong`, { "Sec-Fetch-Site": "none" })).toBe(401)
})

test("a link with a wrong token gets the page, where a right one can be entered", async () => {
  await using app = await start()
  const response = await fetch(`${app.url}/?token=wrong`)
  expect([response.status, response.headers.get("set-cookie")]).toEqual([401, null])
  expect(await response.text()).toContain("<title>page</title>")
})

test.each([
  ["JSON", "application/json", JSON.stringify({ token })],
  ["a form", "application/x-www-form-urlencoded", `token=${token}`],
])("the token is taken as %s", async (_, type, body) => {
  await using app = await start()
  const response = await fetch(`${app.url}/login`, {
    method: "POST",
    headers: { "Content-Type": type },
    body,
  })
  expect(response.status).toBe(204)
  expect(response.headers.get("set-cookie")).toMatch(/^serialcast_session=.*HttpOnly; SameSite=Strict/)
})

test.each([
  [401, "unauthorized", '{"token":"wrong"}'],
  [400, "bad_request", '{"tokens":"x"}'],
  [400, "bad_request", "{"],
  [413, "too_large", JSON.stringify({ token: "x".repeat(5000) })],
])("a log-in that cannot be met is a %i %s", async (status, code, body) => {
  await using app = await start()
  const headers = { "Content-Type": "application/json" }
  const response = await fetch(`${app.url}/login`, { method: "POST", headers, body })
  expect([response.status, await response.json()]).toMatchObject([status, { code }])
})

test("guessing tokens is stopped", async () => {
  await using app = await start()
  const attempt = async () => (await fetch(`${app.url}/?token=wrong`)).status
  let status = 401
  for (let attempts = 0; status === 401 && attempts < 1000; attempts++) status = await attempt()
  expect(status).toBe(429)
})

test("another site may link to the page and reach nothing else", async () => {
  await using app = await start()
  const link = { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document" }
  expect(await get(app.url, link)).toBe(200)
  expect(await get(`${app.url}/api/v1/devices`, { ...link, Authorization: `Bearer ${token}` })).toBe(403)
  expect(await get(app.url, { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors" })).toBe(403)
})

test("a name that was rebound to this machine is refused", async () => {
  await using app = await start()
  expect(await get(app.url, { Host: "evil.example" })).toBe(421)
})

test.each([
  ["GET", "/nothing", 404, null],
  ["PUT", "/", 405, "GET, HEAD"],
  ["GET", "/login", 405, "POST"],
  ["POST", "/api/v1/devices", 405, "GET, HEAD"],
])("%s %s is a %i", async (method, path, status, allow) => {
  await using app = await startTestConsole({ pageDir })
  const response = await fetch(app.url + path, { method })
  expect([response.status, response.headers.get("allow")]).toEqual([status, allow])
})

test("a WebSocket address asked for a page says what it is", async () => {
  await using app = await startTestConsole({ pageDir })
  expect(await (await fetch(`${app.url}/ws`)).json()).toMatchObject({ code: "bad_request" })
})

test("a request that was answered as malformed while its file was looked for is not told of twice", async () => {
  // Express says nothing in tests.
  vi.stubEnv("NODE_ENV", "production")
  onTestFinished(() => void vi.unstubAllEnvs())
  await using app = await start()
  const told = vi.spyOn(console, "error")
  onTestFinished(() => told.mockRestore())
  const socket = connect(app.running.address.port, "127.0.0.1")
  socket.write(
    "GET /assets/none HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nnot a size\r\n",
  )
  const [answer] = await once(socket, "data")
  expect(String(answer)).toMatch(/^HTTP\/1.1 400 /)
  await once(socket, "close")
  expect(told).not.toHaveBeenCalled()
})
