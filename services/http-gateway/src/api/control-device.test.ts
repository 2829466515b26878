import { once } from "node:events"
import { connect } from "node:net"
import { AppError, type PortSettings } from "@serialcast/contract"
import type { Device } from "@serialcast/device-stream"
import { createDeferred } from "@serialcast/primitives"
import { createDeviceState } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { startTestGateway } from "../testing/test-gateway.ts"

const { settings } = createDeviceState()
const by = "http:127.0.0.1"

/** A device whose controls answer something, and tell what they were called with. */
function playControls() {
  const calls: unknown[][] = []
  const told =
    <T>(name: string, answer: T) =>
    (...given: unknown[]): Promise<T> => {
      calls.push([name, ...given])
      return Promise.resolve(answer)
    }
  const device = {
    configure: told("configure", { ...settings, baudRate: 9_600 } satisfies PortSettings),
    signal: told("signal", { dtr: true, rts: false }),
    lines: told("lines", { cts: true }),
    lease: told("lease", { token: "secret", holder: by, ttlMs: 5_000 }),
    release: told("release", undefined),
    write: told("write", { bytes: 1, from: "", to: "", drainedUs: 1 }),
  } satisfies Partial<Device>
  return { calls, device }
}

async function send(method: string, url: string, body?: unknown, headers: Record<string, string> = {}) {
  const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) }
  const response = await fetch(url, init)
  const text = await response.text()
  return { status: response.status, body: text === "" ? null : JSON.parse(text) }
}

test("settings are told, and changed in part", async () => {
  const { calls, device } = playControls()
  await using gateway = await startTestGateway(device)
  const url = `${gateway.url}/settings`
  expect(await send("GET", url)).toEqual({ status: 200, body: settings })
  const changed = await send("PATCH", url, { baudRate: 9_600 }, { Lease: "secret" })
  expect(changed).toEqual({ status: 200, body: { ...settings, baudRate: 9_600 } })
  expect(calls).toEqual([["configure", { baudRate: 9_600 }, { by, lease: "secret", now: false }]])
})

test("which settings the port did not take is told with those that it has", async () => {
  const inForce = { ...settings, unsupported: ["parity"] }
  const device = { configure: () => Promise.resolve(inForce) } satisfies Partial<Device>
  await using gateway = await startTestGateway(device)
  const changed = await send("PATCH", `${gateway.url}/settings`, { parity: "even" })
  expect(changed).toEqual({ status: 200, body: inForce })
})

test("lines are told, set, and moved by a macro; now=true does not wait for writes", async () => {
  const { calls, device } = playControls()
  await using gateway = await startTestGateway(device)
  const url = `${gateway.url}/signals`
  expect(await send("GET", url)).toEqual({ status: 200, body: { lines: { cts: true } } })
  const set = await send("POST", url, { dtr: true, break: false })
  expect(set).toEqual({ status: 200, body: { lines: { dtr: true, rts: false } } })
  await send("POST", `${url}?now=true`, { macro: "D0|W0.1|D1" })
  expect(calls).toEqual([
    ["lines", { by }],
    ["signal", { dtr: true, break: false }, { by, now: false }],
    ["signal", { macro: "D0|W0.1|D1" }, { by, now: true }],
  ])
})

test("a lease is taken, renewed by its token, stolen and given back", async () => {
  const { calls, device } = playControls()
  await using gateway = await startTestGateway(device)
  const url = `${gateway.url}/lease`
  const taken = { status: 200, body: { token: "secret", holder: by, ttlMs: 5_000 } }
  expect(await send("POST", url)).toEqual(taken)
  expect(await send("POST", url, { ttlMs: 5_000 }, { Lease: "secret" })).toEqual(taken)
  await send("POST", url, { steal: true })
  expect(await send("DELETE", url, undefined, { Lease: "secret" })).toEqual({ status: 204, body: null })
  expect(calls).toEqual([
    ["lease", { by, ttlMs: 30_000, steal: false }],
    ["lease", { by, ttlMs: 5_000, steal: false, fence: "secret" }],
    ["lease", { by, ttlMs: 30_000, steal: true }],
    ["release", { by, fence: "secret" }],
  ])
})

test("writes go under the lease whose token they bring", async () => {
  const { calls, device } = playControls()
  await using gateway = await startTestGateway(device)
  await send("POST", `${gateway.url}/write`, "x", { Lease: "secret", "Content-Type": "text/plain" })
  expect(calls).toMatchObject([["write", {}, { by, lease: "secret" }]])
})

describe("is refused, and changes nothing:", () => {
  test.each([
    ["PATCH", "settings", { baudRate: "fast" }],
    ["PATCH", "settings", { baud: 9_600 }],
    ["PATCH", "settings", []],
    ["PATCH", "settings?now=yes", { baudRate: 9_600 }],
    ["POST", "signals", {}],
    ["POST", "signals", { dtr: 1 }],
    ["POST", "signals", { dtr: true, macro: "D0" }],
    ["POST", "signals", { dtr: true, session: "x", seq: 0 }],
    ["POST", "lease", { ttlMs: 1 }],
    ["POST", "lease", { ttlMs: 1_000, by: "root" }],
    ["DELETE", "lease", undefined],
  ])("%s %s %j", async (method, path, body) => {
    const { calls, device } = playControls()
    await using gateway = await startTestGateway(device)
    const { status, body: problem } = await send(method, `${gateway.url}/${path}`, body)
    expect([status, problem.code, calls]).toEqual([400, "bad_request", []])
  })

  test("a Lease header that is no token", async () => {
    const { calls, device } = playControls()
    await using gateway = await startTestGateway(device)
    const { status } = await send("DELETE", `${gateway.url}/lease`, undefined, { Lease: "two words" })
    expect([status, calls]).toEqual([400, []])
  })
})

test.each([
  ["leased", 423],
  ["lease_lost", 409],
  ["device_offline", 503],
  ["no_modem_lines", 501],
] as const)("the agent's refusal %s is %i, as a problem document", async (code, status) => {
  const refuse = () => Promise.reject(new AppError(code, "No."))
  await using gateway = await startTestGateway({ signal: refuse })
  const refused = await send("POST", `${gateway.url}/signals`, { dtr: true })
  expect(refused).toMatchObject({ status, body: { code, detail: "No.", status } })
})

test.each([
  ["settings", "GET, HEAD, PATCH"],
  ["signals", "GET, HEAD, POST"],
  ["lease", "DELETE, POST"],
  ["history", "GET, HEAD"],
])("another method on %s is 405 with Allow: %s", async (path, allow) => {
  await using gateway = await startTestGateway({})
  const response = await fetch(`${gateway.url}/${path}`, { method: "PUT" })
  expect([response.status, response.headers.get("allow")]).toEqual([405, allow])
})

test("a request that was answered as malformed while it was worked on is no fault of the service", async () => {
  const logged: string[] = []
  const lines = createDeferred<{ cts: boolean }>()
  const asked = createDeferred<void>()
  const device = {
    lines: () => {
      asked.resolve()
      return lines.promise
    },
  }
  await using gateway = await startTestGateway(device, { onLog: (line) => logged.push(line) })
  const socket = connect(gateway.port, "127.0.0.1")
  const { pathname } = new URL(`${gateway.url}/signals`)
  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`)
  await asked.promise
  socket.write("not a size\r\n")
  const [answer] = await once(socket, "data")
  expect(String(answer)).toMatch(/^HTTP\/1.1 400 /)
  lines.resolve({ cts: true })
  await once(socket, "close")
  expect(logged).toEqual([])
})
