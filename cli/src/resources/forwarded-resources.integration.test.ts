import { execFile } from "node:child_process"
import { promisify } from "node:util"
import type { ForwardConfig } from "@serialcast/service-kit"
import { eventually } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { playBoard } from "../testing/play-board.ts"
import { startResourceServer } from "../testing/start-resource-server.ts"
import { startTestAll, untilOffline } from "../testing/start-test-all.ts"

const led: ForwardConfig = {
  uri: "/board/led",
  device: "local/pty",
  methods: ["GET", "PUT"],
  request: "led {method} {body}",
  reply: "^led (.*)$",
  contentType: "application/json",
  timeoutMs: 30_000,
  eol: "lf",
}

async function curl(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("curl", ["-s", "-w", " %{http_code} %{content_type}", ...args])
  return stdout
}

async function problem(url: string, init: RequestInit = {}) {
  const answer = await fetch(url, init)
  const { code } = (await answer.json()) as { readonly code: string }
  return [answer.status, code, answer.headers.get("retry-after")]
}

test("a board that prints two kinds of lines is a JSON API, for curl and for pages", async () => {
  const devices = { "local/pty": { prefix: "@res", methods: ["GET"] as const } }
  await using all = await startTestAll({}, { resources: { devices, forward: [led] } })
  const { resourcesUrl: url, pty } = all
  let on = false
  void playBoard(pty, async (line, print) => {
    const [, method, body] = line.split(" ")
    if (method === "PUT") on = body === "1"
    await print(`@res /temp application/json {"c":21.5,"on":${on}}\r\nled {"on":${on}}\r\n`)
  })
  expect(await curl(`${url}/board/led`)).toBe('{"on":false} 200 application/json')
  expect(await curl("-X", "PUT", "-d", "1", `${url}/board/led`)).toBe('{"on":true} 200 application/json')
  const page = { "Sec-Fetch-Site": "same-origin", Origin: url }
  const answer = await fetch(`${url}/board/led`, { headers: page })
  expect(await answer.json()).toEqual({ on: true })
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; frame-ancestors 'none'",
    "cache-control": "no-store",
  })
  await eventually(async () =>
    expect(await curl(`${url}/devices/local/pty/temp`)).toBe('{"c":21.5,"on":true} 200 application/json'),
  )
  expect((await fetch(`${url}/board/led`, { method: "HEAD" })).headers.get("content-length")).toBe("11")
  const refused = await fetch(`${url}/board/led`, { method: "DELETE" })
  expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD, PUT, OPTIONS"])
  expect((await fetch(`${url}/board/led`, { headers: { Origin: "http://evil.example" } })).status).toBe(403)
  // Nobody is kept out of the device when it has answered.
  await eventually(() => expect(all.all.devices.devices.get("local/pty")?.lease).toBeNull())
})

test("what was said, or begun, before the line is no reply to it", async () => {
  await using all = await startTestAll({}, { resources: { forward: [led] } })
  const { resourcesUrl: url, pty } = all
  const encode = (text: string) => new TextEncoder().encode(text)
  await pty.write(encode("led old\nled of before"))
  const history = `${all.httpUrl}/api/v1/devices/local/pty/history`
  await eventually(async () => expect((await (await fetch(history)).text()).length).toBe(21))
  void playBoard(pty, (line, print) => print(` ${line}\nsomething else\nled new\n`))
  expect(await (await fetch(`${url}/board/led`)).text()).toBe("new")
})

test("requests of several clients and servers have the device one after the other, each with its own reply", async () => {
  const forward = [{ ...led, request: "led {query}" }]
  await using all = await startTestAll({}, { resources: { forward } })
  const other = await startResourceServer(all.mqttUrl, { forward })
  let lines = 0
  void playBoard(all.pty, async (line, print) => {
    lines += 1
    await print(`busy\n${line}\n`)
  })
  const ask = async (n: number) =>
    await (await fetch(`${n % 2 === 0 ? all.resourcesUrl : other.url}/board/led?${n}`)).text()
  const asked = Array.from({ length: 10 }, (_, n) => n)
  expect(await Promise.all(asked.map(ask))).toEqual(asked.map(String))
  expect(lines).toBe(10)
})

test("a device that is silent, held by somebody or away is told by 504 and 503; nothing that is no line reaches it", async () => {
  const forward = [{ ...led, timeoutMs: 200 }]
  await using all = await startTestAll({}, { resources: { forward } })
  const { pty, all: running } = all
  const url = `${all.resourcesUrl}/board/led`
  for (const body of ["a\nb", "\u0003", "x".repeat(1_025)])
    expect(await problem(url, { method: "PUT", body })).toEqual([400, "bad_request", null])
  expect(await problem(`${url}?a%0Db`)).toEqual([400, "bad_request", null])
  expect(pty.received).toBe(0)
  expect(await problem(url)).toEqual([504, "device_silent", null])
  expect(await pty.read(9)).toEqual(new TextEncoder().encode("led GET \n"))

  const lease = await running.devices.device("local/pty").acquireLease({ by: "ann", ttlMs: 60_000 })
  expect(await problem(url)).toEqual([503, "overloaded", "1"])
  await lease.release()
  expect(await problem(url)).toEqual([504, "device_silent", null])
  expect(pty.received).toBe(18)

  await pty.unplug()
  await untilOffline(running, "local/pty")
  expect(await problem(url)).toEqual([503, "device_offline", "1"])
})

test("a device that goes away before it answers is told at once", async () => {
  await using all = await startTestAll({}, { resources: { forward: [{ ...led, timeoutMs: 60_000 }] } })
  const asked = problem(`${all.resourcesUrl}/board/led`)
  await all.pty.read(9)
  await all.pty.unplug()
  expect(await asked).toEqual([503, expect.stringMatching(/^(?:device_offline|aborted)$/), "1"])
})
