import { createDeviceState, createTunnelClient, createTunnelState } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { type BridgeView, bridgeNews, lookAt } from "./bridge-news.ts"

const quiet = lookAt({ device: createDeviceState(), tunnel: createTunnelState() })
const withClients = (...peers: string[]): BridgeView => ({
  ...quiet,
  tunnel: createTunnelState({ clientCount: peers.length, clients: peers.map(createTunnelClient) }),
})
const withTotals = (change: object): BridgeView => ({
  ...quiet,
  tunnel: createTunnelState({ totals: { ...quiet.tunnel.totals, ...change } }),
})

test("clients that came and went are told, and moved bytes are no news", () => {
  expect(bridgeNews(quiet, withClients("10.0.0.7:1"))).toEqual(["10.0.0.7:1 connected"])
  expect(bridgeNews(withClients("10.0.0.7:1"), withClients("10.0.0.7:2"))).toEqual([
    "10.0.0.7:1 disconnected",
    "10.0.0.7:2 connected",
  ])
  expect(bridgeNews(quiet, withTotals({ toClients: 5 }))).toEqual([])
  expect(bridgeNews(quiet, withTotals({ refusedClients: 1 }))).toEqual(["1 client was turned away"])
})

test("what keeps the bridge from working is told once, the device's own reason first, and its end too", () => {
  const problem = { code: "open_failed", message: "/dev/ttyUSB0 is not there." }
  const device = createDeviceState({ online: false, problem })
  const tunnel = createTunnelState({ problem: { code: "device_offline", message: "Nothing goes." } })
  const broken = { ...quiet, device, tunnel }
  expect(bridgeNews(quiet, broken)).toEqual(["/dev/ttyUSB0 is not there."])
  expect(bridgeNews(broken, { ...broken, device: { ...device } })).toEqual([])
  expect(bridgeNews(broken, quiet)).toEqual(["It works again."])
  expect(bridgeNews(quiet, { ...quiet, tunnel })).toEqual(["Nothing goes."])
})

test("that the other end of a cable answers is news the first time only, also when clients came before", () => {
  const link = (link: "synchronising" | "idle") =>
    createTunnelState({ link, totals: { ...quiet.tunnel.totals, clients: 3 } })
  const alone = lookAt({ device: quiet.device, tunnel: link("synchronising") })
  const found = lookAt({ device: quiet.device, tunnel: link("idle") }, alone)
  const again = lookAt({ device: quiet.device, tunnel: link("synchronising") }, found)
  expect(bridgeNews(alone, found)).toEqual(["The other end of the cable answers."])
  expect(bridgeNews(found, again)).toEqual([])
  expect(bridgeNews(again, lookAt({ device: quiet.device, tunnel: link("idle") }, again))).toEqual([])
  expect(bridgeNews(quiet, quiet)).toEqual([])
})

test("no news steers the terminal or takes a second line", () => {
  const problem = { code: "open_failed", message: "a\u001b[2Jb\nc" }
  expect(bridgeNews(quiet, { ...quiet, tunnel: createTunnelState({ problem }) })).toEqual(["a\\x1B[2Jb c"])
})
