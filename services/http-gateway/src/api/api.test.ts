import { createTunnelState } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { startTestGateway } from "../testing/test-gateway.ts"

test("the tunnels of every service are told, and can only be read", async () => {
  const tunnels = [createTunnelState({ clientCount: 2 }), createTunnelState({ endpoint: "[::1]:7002" })]
  await using gateway = await startTestGateway({}, { tunnels })
  const url = `http://127.0.0.1:${gateway.port}/api/v1/tunnels`
  expect(await (await fetch(url)).json()).toEqual({ tunnels })
  const refused = await fetch(url, { method: "POST" })
  expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD"])
})
