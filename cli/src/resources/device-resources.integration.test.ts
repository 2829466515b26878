import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { eventually } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { startResourceServer } from "../testing/start-resource-server.ts"
import { startTestAll, untilOffline } from "../testing/start-test-all.ts"

const encode = (text: string) => new TextEncoder().encode(text)
const at = (url: string, name: string) => `${url}/devices/local/pty/${name}`

/** Status, body and tag of an answer. */
async function get(url: string, headers: Record<string, string> = {}) {
  const answer = await fetch(url, { headers })
  return { status: answer.status, body: await answer.text(), tag: answer.headers.get("etag") ?? "" }
}

test("the newest line and the newest JSON are resources, with the headers of what others wrote", async () => {
  await using all = await startTestAll()
  const { resourcesUrl: url, pty } = all
  expect((await get(at(url, "last-line"))).status).toBe(204)
  await pty.write(encode('{"c":21.5}\r\nhello\r\nunfinished'))
  await eventually(async () =>
    expect(await get(at(url, "last-line"))).toMatchObject({ status: 200, body: "hello" }),
  )
  const line = await fetch(at(url, "last-line"))
  expect(Object.fromEntries(line.headers)).toMatchObject({
    "content-type": "text/plain; charset=utf-8",
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; frame-ancestors 'none'",
    "cache-control": "no-store",
    etag: expect.stringMatching(/^"[0-9a-f]{16}-\d+"$/),
  })
  const json = await fetch(at(url, "last-json"))
  expect([json.headers.get("content-type"), await json.json()]).toEqual(["application/json", { c: 21.5 }])
  expect(json.headers.get("etag")).not.toBe(line.headers.get("etag"))
  const tag = line.headers.get("etag") ?? ""
  expect(await get(at(url, "last-line"), { "If-None-Match": `"x", W/${tag}` })).toEqual({
    status: 304,
    body: "",
    tag,
  })
  const head = await fetch(at(url, "last-line"), { method: "HEAD" })
  expect([head.status, head.headers.get("etag"), head.headers.get("content-length")]).toEqual([200, tag, "5"])
})

test("a server that starts finds what came before it", async () => {
  await using all = await startTestAll()
  await all.pty.write(encode(`[1]\n${"x".repeat(1000)}\nlast\n`))
  const history = async () => (await get(`${all.httpUrl}/api/v1/devices/local/pty/history`)).body.length
  await eventually(async () => expect(await history()).toBe(4 + 1001 + 5))
  const { url } = await startResourceServer(all.mqttUrl)
  expect(await get(at(url, "last-line"))).toMatchObject({ status: 200, body: "last" })
  expect(await get(at(url, "last-json"))).toMatchObject({ status: 200, body: "[1]" })
})

test("a long poll ends with the next line, which many hear of at once, and else with its time", async () => {
  await using all = await startTestAll()
  const { resourcesUrl: url, pty } = all
  expect((await get(at(url, "last-line?wait=1"))).status).toBe(204)
  const first = get(at(url, "last-line?wait=60"))
  await pty.write(encode("1\n"))
  const { body, tag } = await first
  expect(body).toBe("1")
  const waiting = [
    ...Array.from({ length: 20 }, () => get(at(url, "last-line?wait=60"), { "If-None-Match": tag })),
    get(at(url, "last-json?wait=60"), { "If-None-Match": "*" }),
  ]
  // They are there before the line is.
  expect(await get(at(url, "last-line?wait=1"), { "If-None-Match": tag })).toEqual({
    status: 304,
    body: "",
    tag,
  })
  await pty.write(encode("2\n"))
  for (const answer of await Promise.all(waiting)) expect(answer).toMatchObject({ status: 200, body: "2" })
  // Another server, which is ahead, may have given it.
  const ahead = tag.replace(/\d+"$/, '1000000"')
  expect((await get(at(url, "last-line"), { "If-None-Match": ahead })).status).toBe(304)
  for (const wait of ["61", "-1", "1.5", "x"])
    expect((await get(at(url, `last-line?wait=${wait}`))).status).toBe(400)
})

test("what waits when the service stops is answered", async () => {
  const all = await startTestAll()
  const url = at(all.resourcesUrl, "last-line")
  const waiting = get(`${url}?wait=60`)
  expect((await get(`${url}?wait=1`)).status).toBe(204)
  await all[Symbol.asyncDispose]()
  expect((await waiting).status).toBe(204)
})

test("tx writes the bytes as they are, with the line end that is asked for, and answers when they are out", async () => {
  await using all = await startTestAll()
  const { resourcesUrl: url, pty } = all
  const bytes = Uint8Array.from({ length: 256 }, (_, n) => n)
  expect((await fetch(at(url, "tx"), { method: "PUT", body: bytes })).status).toBe(204)
  expect(await pty.read(256)).toEqual(bytes)
  expect((await fetch(at(url, "tx?eol=crlf"), { method: "POST", body: "AT" })).status).toBe(204)
  expect(await pty.read(4)).toEqual(encode("AT\r\n"))
  const { stdout } = await promisify(execFile)("curl", [
    "-s",
    "-w",
    "%{http_code}",
    "-d",
    "hi",
    at(url, "tx?eol=lf"),
  ])
  expect([stdout, await pty.read(3)]).toEqual(["204", encode("hi\n")])
})

test("refusals say why, with the status of their code", async () => {
  await using all = await startTestAll()
  const { resourcesUrl: url, pty } = all
  const problem = async (target: string, init: RequestInit = {}) => {
    const answer = await fetch(url + target, init)
    const { code } = (await answer.json()) as { readonly code: string }
    return [answer.status, code, answer.headers.get("allow") ?? answer.headers.get("retry-after")]
  }
  const put = (body = "x", headers = {}) => ({ method: "PUT", body, headers })
  expect(await problem("/devices/local/pty/tx")).toEqual([405, "method_not_allowed", "PUT, POST, OPTIONS"])
  expect(await problem("/devices/local/pty/state", put())).toEqual([
    405,
    "method_not_allowed",
    "GET, HEAD, OPTIONS",
  ])
  expect(await problem("/devices/local/pty/tx?eol=x", put())).toEqual([400, "bad_request", null])
  expect(await problem("/devices/local/pty/tx", put("x".repeat(33_000)))).toEqual([413, "too_large", null])
  expect(await problem("/devices/local/none/last-line")).toEqual([404, "unknown_device", null])
  expect(await problem("/devices/no*name/x/state")).toEqual([404, "unknown_device", null])
  expect(await problem("/devices/local/none/tx", put())).toEqual([404, "unknown_device", null])
  expect(await problem("/devices/local/pty/tx", put("x", { Origin: "http://evil.example" }))).toEqual([
    403,
    "cross_site",
    null,
  ])
  expect((await fetch(at(url, "other"))).status).toBe(404)
  expect((await fetch(at(url, "tx"), { method: "OPTIONS" })).headers.get("allow")).toBe("PUT, POST, OPTIONS")
  expect(await (await fetch(at(url, "state"))).json()).toMatchObject({
    gateway: "local",
    device: "pty",
    online: true,
  })
  expect(await pty.read(0)).toEqual(new Uint8Array(0))

  await all.all.devices.device("local/pty").acquireLease({ by: "ann", ttlMs: 60_000 })
  expect(await problem("/devices/local/pty/tx", put())).toEqual([423, "leased", null])
  await pty.write(encode("still here\n"))
  await eventually(async () => expect((await get(at(url, "last-line"))).body).toBe("still here"))
  await pty.unplug()
  await untilOffline(all.all, "local/pty")
  expect(await problem("/devices/local/pty/tx", put())).toEqual([503, "device_offline", "1"])
  expect((await get(at(url, "last-line"))).body).toBe("still here")
})
