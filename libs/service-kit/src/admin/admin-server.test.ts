import { expect, test } from "vitest"
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
