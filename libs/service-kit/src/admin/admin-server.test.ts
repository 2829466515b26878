import { once } from "node:events"
import { request } from "node:http"
import { connect } from "node:net"
import { text } from "node:stream/consumers"
import { expect, onTestFinished, test } from "vitest"
import type { RunningService } from "../lifecycle/service.ts"
import { createMetrics } from "./admin-server.ts"
import { startAdmin } from "./start-admin.ts"

function service(name: string, ready: { now: boolean }): RunningService {
  return { name, isReady: () => ready.now, stop: async () => {} }
}

test("an operator sees that the process lives, what is ready, and its metrics", async () => {
  const services: RunningService[] = []
  const admin = await startAdmin(
    { host: "127.0.0.1", port: 0 },
    { metrics: createMetrics(), services: () => services },
  )
  const get = async (path: string, method = "GET") => {
    const response = await fetch(`http://127.0.0.1:${admin.address.port}${path}`, { method })
    return { status: response.status, text: await response.text(), allow: response.headers.get("allow") }
  }
  expect(await get("/healthz")).toMatchObject({ status: 200, text: '{"alive":true}' })
  expect(await get("/readyz")).toMatchObject({ status: 503, text: '{"ready":false,"services":{}}' })

  const isReady = { now: false }
  services.push(service("broker", { now: true }), service("agent", isReady))
  expect(await get("/readyz?verbose")).toMatchObject({
    status: 503,
    text: '{"ready":false,"services":{"broker":true,"agent":false}}',
  })
  isReady.now = true
  expect(await get("/readyz")).toMatchObject({ status: 200 })

  expect((await get("/metrics")).text).toContain("process_cpu_seconds_total")
  expect(await get("/other")).toMatchObject({ status: 404 })
  expect(await get("/constructor")).toMatchObject({ status: 404 })
  expect(await get("/healthz", "POST")).toMatchObject({ status: 405, allow: "GET, HEAD" })
  await admin.stop()
})

const token = "a-token-of-some-length"

async function startGuarded(host: string) {
  const options = { metrics: createMetrics(), services: () => [], token, hosts: ["box.lan"] }
  const admin = await startAdmin({ host, port: 0 }, options)
  onTestFinished(() => admin.stop())
  const { port } = admin.address
  const status = async (path: string, headers: Record<string, string> = {}) => {
    const sent = request({ host: "127.0.0.1", port, path, headers, agent: false }).end()
    const [response] = await once(sent, "response")
    response.resume()
    return response.statusCode
  }
  return { port, status }
}

test("pages of other sites and foreign names are refused", async () => {
  const { status } = await startGuarded("127.0.0.1")
  for (const path of ["/healthz", "/readyz", "/metrics"]) {
    expect(await status(path, { host: "evil.example" })).toBe(421)
    expect(await status(path, { "sec-fetch-site": "cross-site" })).toBe(403)
    expect(await status(path, { origin: "http://evil.example" })).toBe(403)
  }
  expect(await status("/healthz", { host: "box.lan" })).toBe(200)
})

test("on loopback nobody needs the token, nor a Host header, which a container's health check omits", async () => {
  const { port, status } = await startGuarded("127.0.0.1")
  expect(await status("/metrics")).toBe(200)
  const socket = connect(port, "127.0.0.1")
  socket.write("GET /healthz HTTP/1.0\r\n\r\n")
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 /)
})

test("where other machines can ask, everything but /healthz needs the token", async () => {
  const { status } = await startGuarded("0.0.0.0")
  expect(await status("/healthz")).toBe(200)
  expect(await status("/readyz")).toBe(401)
  expect(await status("/metrics")).toBe(401)
  expect(await status("/metrics", { authorization: `Bearer ${token}` })).toBe(200)
})
