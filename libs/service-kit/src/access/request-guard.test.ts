import { FakeClock } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { createLoginCookie } from "./login-cookie.ts"
import { createRequestGuard } from "./request-guard.ts"

const token = "a-token-of-some-length"
const host = "localhost:8080"

function codeOf(
  headers: Record<string, string>,
  options: { allowNavigation?: boolean } = {},
  method = "GET",
) {
  const guard = createRequestGuard({ token: null, hosts: ["box.lan"] })
  return guard.whyNot({ method, headers }, options)?.code ?? "allowed"
}

describe("host", () => {
  test.each([
    "localhost",
    "LOCALHOST:8080",
    "127.0.0.1:8080",
    "192.168.1.5",
    "[::1]:8080",
    "[fd00::5]",
    "box.lan:8080",
    "Box.LAN",
  ])("%s is ours", (name) => expect(codeOf({ host: name })).toBe("allowed"))

  test.each([
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "localhost:8080@evil.example",
    "evil.example#localhost",
    "box.lan.",
    "",
    "[localhost]",
    "a b",
  ])("%j is not", (name) => expect(codeOf({ host: name })).toBe("bad_host"))

  test.each([
    "0.0.0.0:8080",
    "0:8080",
    "[::]:8080",
    "[0:0::0]",
    "[::ffff:127.0.0.1]:8080",
    "[::ffff:7f00:1]",
  ])("%s reaches this machine although browsers do not count it as local, and is refused", (name) =>
    expect(codeOf({ host: name })).toBe("bad_host"),
  )

  test("a request without a Host header is HTTP/1.0, which no browser speaks, and is allowed", () => {
    expect(codeOf({})).toBe("allowed")
  })
})

describe("site", () => {
  test.each(["same-origin", "none"])("%s is allowed", (site) => {
    expect(codeOf({ host, "sec-fetch-site": site })).toBe("allowed")
  })

  test.each(["cross-site", "same-site", "new-word", "same-origin, same-origin"])("%s is refused", (site) => {
    expect(codeOf({ host, "sec-fetch-site": site })).toBe("cross_site")
  })

  test("without Fetch Metadata the origin must be the request's own host and port", () => {
    expect(codeOf({ host, origin: "http://localhost:8080" })).toBe("allowed")
    expect(codeOf({ host: "box.lan", origin: "https://box.lan" })).toBe("allowed")
    expect(codeOf({ host, origin: "http://localhost:9999" })).toBe("cross_site")
    expect(codeOf({ host, origin: "http://evil.example" })).toBe("cross_site")
    expect(codeOf({ host, origin: "null" })).toBe("cross_site")
  })

  test("a program that sends neither header is allowed", () => {
    expect(codeOf({ host })).toBe("allowed")
  })

  test("a link from another site opens a page, and nothing but a page", () => {
    const link = {
      host,
      "sec-fetch-site": "cross-site",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "document",
    }
    expect(codeOf(link)).toBe("cross_site")
    expect(codeOf(link, { allowNavigation: true })).toBe("allowed")
    expect(codeOf(link, { allowNavigation: true }, "POST")).toBe("cross_site")
    expect(codeOf({ ...link, "sec-fetch-dest": "iframe" }, { allowNavigation: true })).toBe("cross_site")
    expect(codeOf({ ...link, "sec-fetch-mode": "no-cors" }, { allowNavigation: true })).toBe("cross_site")
  })

  test("the host is checked first: a rebound name is its own origin", () => {
    expect(codeOf({ host: "evil.example", "sec-fetch-site": "same-origin" })).toBe("bad_host")
  })
})

describe("token", () => {
  const clock = new FakeClock()
  const check = (headers: Record<string, string>) => {
    const guard = createRequestGuard({ token, hosts: [], clock })
    return guard.whyNot({ method: "GET", headers: { host, ...headers } })?.code ?? "allowed"
  }

  test("the bearer token or the login cookie is needed", () => {
    expect(check({})).toBe("unauthorized")
    expect(check({ authorization: `Bearer ${token}` })).toBe("allowed")
    expect(check({ authorization: `bearer ${token}` })).toBe("allowed")
    expect(check({ authorization: `Basic ${token}` })).toBe("unauthorized")
    expect(check({ authorization: "Bearer wrong" })).toBe("unauthorized")
    const [cookie] = createLoginCookie(token).cookie().split(";")
    expect(check({ cookie: cookie!, "sec-fetch-site": "same-origin" })).toBe("allowed")
    expect(check({ cookie: `serialcast_session=${token}` })).toBe("unauthorized")
  })

  test("a page of another site is refused even with the login cookie", () => {
    const cookie = createLoginCookie(token).cookie().split(";")[0]!
    expect(check({ cookie, "sec-fetch-site": "same-site" })).toBe("cross_site")
  })

  test("wrong tokens block further wrong ones of their sender for a while, and never the right one", () => {
    const guard = createRequestGuard({ token, hosts: [], clock })
    const from = (remoteAddress: string, headers = {}) => ({
      method: "GET",
      headers: { host, ...headers },
      socket: { remoteAddress },
    })
    const bearer = (given: string) => ({ authorization: `Bearer ${given}` })
    for (let attempt = 0; attempt < 10; attempt++) {
      expect(guard.whyNotToken("wrong", from("10.0.0.1"))?.code).toBe("unauthorized")
    }
    expect(guard.whyNotToken("wrong", from("10.0.0.1"))?.code).toBe("too_many_attempts")
    expect(guard.whyNot(from("10.0.0.1", bearer("wrong")))?.code).toBe("too_many_attempts")
    expect(guard.whyNotToken("wrong", from("10.0.0.2"))?.code).toBe("unauthorized")
    expect(guard.whyNotToken(token, from("10.0.0.1"))).toBeNull()
    expect(guard.whyNot(from("10.0.0.1", bearer(token)))).toBeNull()
    clock.advance(60_000)
    expect(guard.whyNotToken("wrong", from("10.0.0.1"))?.code).toBe("unauthorized")
  })

  test("a token that another site sends is not judged, so that it neither logs in nor counts", () => {
    const guard = createRequestGuard({ token, hosts: [], clock })
    const link = { method: "GET", headers: { host, "sec-fetch-site": "cross-site" } }
    expect(guard.whyNotToken(token, link)?.code).toBe("cross_site")
    for (let attempt = 0; attempt < 10; attempt++) guard.whyNotToken("wrong", link)
    expect(guard.whyNotToken("wrong", { headers: { host } })?.code).toBe("unauthorized")
  })
})

describe("the login cookie, which browsers send along by themselves,", () => {
  const host = "192.168.1.5:8080"
  const guard = createRequestGuard({ token, hosts: [] })
  const [cookie] = createLoginCookie(token).cookie().split(";")
  const check = (headers: Record<string, string>, options = {}, method = "GET") =>
    guard.whyNot({ method, headers: { host, cookie: cookie!, ...headers } }, options)?.code ?? "allowed"

  test("needs a header that says that our own page asks", () => {
    expect(check({ "sec-fetch-site": "same-origin" })).toBe("allowed")
    expect(check({ origin: `http://${host}` })).toBe("allowed")
    expect(check({ referer: `http://${host}/some/page` })).toBe("allowed")
    expect(check({})).toBe("cross_site")
    expect(check({ referer: "http://evil.example/" })).toBe("cross_site")
    expect(check({ referer: "http://192.168.1.5:9999/" })).toBe("cross_site")
    expect(check({ referer: "not a URL" })).toBe("cross_site")
    expect(check({ origin: "http://evil.example", referer: `http://${host}/` })).toBe("cross_site")
  })

  test("refuses without the query of the page that asks: it goes into the log, and may carry a token", () => {
    const referer = "http://192.168.1.5:9999/page?token=very-secret#very-secret"
    const refusal = guard.whyNot({ method: "GET", headers: { host, cookie: cookie!, referer } })
    expect(refusal?.message).toContain("http://192.168.1.5:9999/page")
    expect(refusal?.message).not.toContain("very-secret")
  })

  test("opens a document from anywhere, and nothing else", () => {
    expect(check({}, { allowNavigation: true })).toBe("allowed")
    expect(check({}, { allowNavigation: true }, "POST")).toBe("cross_site")
  })

  test("does not matter to a program that sends the token itself", () => {
    expect(check({ authorization: `Bearer ${token}` })).toBe("allowed")
  })
})

describe("what a browser loads ahead of time", () => {
  const speculative = [
    { "sec-purpose": "prefetch" },
    { "sec-purpose": "prefetch;prerender" },
    { purpose: "prefetch" },
    { "x-moz": "prefetch" },
    { "x-purpose": "preview" },
  ]

  test.each(speculative)("%j is refused, as it may be a write that nobody asked for", (header) => {
    expect(codeOf({ host, "sec-fetch-site": "none", ...header } as Record<string, string>)).toBe("cross_site")
  })

  test("may be a page, but logs nobody in", () => {
    const headers = { host, "sec-fetch-site": "none", "sec-purpose": "prefetch;prerender" }
    expect(codeOf(headers, { allowNavigation: true })).toBe("allowed")
    const guard = createRequestGuard({ token, hosts: [] })
    expect(guard.whyNotToken(token, { method: "GET", headers })?.code).toBe("cross_site")
  })
})

test("of many cookies of the login cookie's name only a few are compared, and only those that could be it", () => {
  const value = createLoginCookie(token).cookie().split(";")[0]!
  const guard = createRequestGuard({ token, hosts: [] })
  const check = (cookie: string) =>
    guard.whyNot({ method: "GET", headers: { host, cookie, "sec-fetch-site": "same-origin" } })?.code ??
    "allowed"
  const wrong = value.replace(/.$/, (last) => (last === "A" ? "B" : "A"))
  expect(check(`${"serialcast_session=; ".repeat(100)}${value}`)).toBe("allowed")
  expect(check(`${wrong}; ${value}`)).toBe("allowed")
  expect(check(`${`${wrong}; `.repeat(100)}${value}`)).toBe("unauthorized")
})
