import { createServer } from "node:net"
import { createBrokerClient } from "@serialcast/broker-client"
import { createTopics, type TunnelReport } from "@serialcast/contract"
import { systemClock } from "@serialcast/primitives"
import {
  closeServer,
  createLogger,
  createMetrics,
  listen,
  loadConfig,
  type RawTunnel,
} from "@serialcast/service-kit"
import { createMemoryBroker, eventually } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { createTcpTunnel } from "./service.ts"
import { PlayedDevices } from "./testing/test-device.ts"
import { connectClient } from "./testing/test-tunnel.ts"

const anyPort = { host: "127.0.0.1", port: 0 }

async function startService(ports: readonly number[]) {
  const memory = await createMemoryBroker()
  onTestFinished(() => memory[Symbol.asyncDispose]())
  const log = createLogger({ name: "test", level: "silent" })
  const broker = createBrokerClient(
    {
      clientId: "tcp-tunnel-1",
      topics: createTopics("serialcast"),
      credentials: null,
      openStream: () => memory.connect(),
    },
    { clock: systemClock, log },
  )
  const tunnels = ports.map(
    (port): RawTunnel => ({
      type: "raw",
      listen: { host: "127.0.0.1", port },
      device: "local/uno",
      allow: null,
      idleTimeoutMs: null,
      maxClients: 32,
      allowHttp: false,
      onUnplug: "keep",
      replayBytes: 0,
      readOnly: false,
    }),
  )
  const devices = new PlayedDevices()
  const metrics = createMetrics()
  const config = { ...loadConfig({ env: {} }), tunnels }
  const deps = { log, clock: systemClock, metrics, token: null, devices, broker }
  return { devices, metrics, memory, service: await createTcpTunnel(config, deps) }
}

function reports(memory: Awaited<ReturnType<typeof createMemoryBroker>>): TunnelReport[] {
  return memory
    .published("serialcast/_tunnels/#")
    .filter(({ payload }) => payload.byteLength > 0)
    .map(({ payload }) => JSON.parse(new TextDecoder().decode(payload)))
}

test("every tunnel listens, reports its clients and counts what moves; a stop ends all of it", async () => {
  const { service, devices, metrics, memory } = await startService([0, 0])
  const endpoints = service.tunnels().map(({ endpoint }) => endpoint)
  expect(new Set(endpoints).size).toBe(2)
  const client = await connectClient(Number(endpoints[1]!.split(":")[1]))
  await eventually(() =>
    expect(
      reports(memory)
        .at(-1)
        ?.tunnels.map(({ clientCount }) => clientCount),
    ).toEqual([0, 1]),
  )
  devices.send("hello")
  await eventually(async () =>
    expect(await metrics.metrics()).toContain(
      `serialcast_tunnel_to_clients_bytes_total{type="raw",endpoint="${endpoints[1]}",device="local/uno"} 5`,
    ),
  )
  await service.stop()
  await client.ended
  expect(devices.listeners).toBe(0)
})

test("when one tunnel cannot listen, none does", async () => {
  const taken = createServer()
  const { port } = await listen(taken, anyPort, "test")
  onTestFinished(() => closeServer(taken))
  const other = createServer()
  const free = (await listen(other, anyPort, "test")).port
  await closeServer(other)
  await expect(startService([free, port])).rejects.toMatchObject({ code: "listen_failed" })
  await expect(connectClient(free)).rejects.toThrow("ECONNREFUSED")
})
