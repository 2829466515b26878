import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { TunnelState } from "@serialcast/contract"
import { createDeviceClient } from "@serialcast/device-stream"
import { systemClock } from "@serialcast/primitives"
import { connectToBroker, createLogger, createMetrics, loadConfig } from "@serialcast/service-kit"
import { createTemporaryFolder, eventually } from "@serialcast/testkit"
import { connectAsync } from "mqtt"
import { expect, onTestFinished, test } from "vitest"
import { spawnCli } from "../testing/spawn-cli.ts"
import { startTestAll, type TestAll } from "../testing/start-test-all.ts"
import { connectRaw, portOf, rawTunnel } from "./testing/raw-client.ts"
import { rfc2217Tunnel } from "./testing/rfc2217-tunnel.ts"
import { serverTunnel } from "./testing/serialtcp-cable.ts"

async function tunnelsOf({ httpUrl }: TestAll): Promise<readonly TunnelState[]> {
  const response = await fetch(`${httpUrl}/api/v1/tunnels`)
  const { tunnels } = (await response.json()) as { tunnels: readonly TunnelState[] }
  return tunnels
}

test("tunnels, their clients and what passed are told over HTTP and as metrics, while it changes", async () => {
  await using running = await startTestAll({}, { tunnels: [rawTunnel()] })
  const port = portOf(running.all)
  const labels = `{type="raw",endpoint="127.0.0.1:${port}",device="local/pty"}`
  await eventually(async () => expect(await tunnelsOf(running)).toMatchObject([{ clientCount: 0 }]))
  const client = await connectRaw(port)
  client.socket.write("hello")
  await running.pty.read(5)
  await eventually(async () =>
    expect(await tunnelsOf(running)).toMatchObject([
      {
        type: "raw",
        endpoint: `127.0.0.1:${port}`,
        device: "local/pty",
        problem: null,
        clientCount: 1,
        clients: [{ peer: `127.0.0.1:${client.socket.localPort}`, bytes: { fromClient: 5, toClient: 0 } }],
        totals: { clients: 1, fromClients: 5 },
      },
    ]),
  )
  expect(await running.metrics.metrics()).toContain(`serialcast_tunnel_clients${labels} 1\n`)
  expect(await running.metrics.metrics()).toContain(`serialcast_tunnel_from_clients_bytes_total${labels} 5\n`)
  client.socket.destroy()
  await eventually(async () =>
    expect(await tunnelsOf(running)).toMatchObject([{ clientCount: 0, clients: [] }]),
  )
})

test("tunnels of every kind to a device that no gateway has say so, and which one may be meant", async () => {
  const device = "local/ptty"
  const tunnels = [rawTunnel({ device }), rfc2217Tunnel({ device }), serverTunnel({ device })]
  await using running = await startTestAll({}, { tunnels })
  const message = "No gateway has announced the device local/ptty yet; did you mean local/pty?"
  await eventually(async () =>
    expect((await tunnelsOf(running)).map(({ problem }) => problem)).toEqual(
      tunnels.map(() => ({ code: "unknown_device", message })),
    ),
  )
})

test("a service that comes later asks, and is told: what the broker keeps is not what it counts on", async () => {
  await using running = await startTestAll({}, { tunnels: [rawTunnel()] })
  await eventually(async () => expect(await tunnelsOf(running)).toHaveLength(1))
  const config = loadConfig({ values: { broker: { url: running.mqttUrl } }, env: {} })
  const log = createLogger({ name: "late", level: "error" })
  const deps = { log, clock: systemClock, metrics: createMetrics(), token: null }
  const late = await createDeviceClient(connectToBroker(config, deps, { name: "late" }), deps)
  onTestFinished(() => late.close())
  await eventually(() => expect(late.tunnels.list()).toMatchObject([{ type: "raw", device: "local/pty" }]))
})

test("tunnels of a process that is killed are told no more", async () => {
  await using running = await startTestAll()
  const folder = createTemporaryFolder()
  onTestFinished(() => folder[Symbol.dispose]())
  const file = join(folder.path, "serialcast.yaml")
  writeFileSync(
    file,
    `gateway: other
broker: { url: "${running.mqttUrl}" }
devices: { echo: { port: sim:echo } }
tunnels: [{ type: raw, listen: "127.0.0.1:0", device: other/echo }]
`,
  )
  const cli = spawnCli(["up", "--config", file])
  await cli.stdout.find(/Tunnels\n +[●○] +127\.0\.0\.1:\d+ +raw +other\/echo/)
  await eventually(async () => expect(await tunnelsOf(running)).toMatchObject([{ device: "other/echo" }]))
  cli.child.kill("SIGKILL")
  await cli.exited
  await eventually(async () => expect(await tunnelsOf(running)).toEqual([]))
  const late = await connectAsync(running.mqttUrl)
  onTestFinished(() => void late.endAsync(true))
  const kept: string[] = []
  late.on("message", (topic) => kept.push(topic))
  await late.subscribeAsync(["serialcast/_tunnels/+", "serialcast/local/status"])
  await eventually(() => expect(kept).toEqual(["serialcast/local/status"]))
})
