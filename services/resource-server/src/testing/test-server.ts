import { createDeviceClient } from "@serialcast/device-stream"
import { systemClock } from "@serialcast/primitives"
import { createLogger, createMetrics, loadConfig, type ResourcesConfig } from "@serialcast/service-kit"
import type { MemoryBroker } from "@serialcast/testkit"
import { onTestFinished } from "vitest"
import { createResourceServer, type RunningResourceServer } from "../service.ts"
import { testClient } from "./test-store.ts"

export interface TestServer {
  readonly server: RunningResourceServer
  /** Like `http://127.0.0.1:40123`. */
  readonly url: string
}

/** A resource server of the broker, ready, on a free port. It is stopped with the test. */
export async function testServer(
  broker: Pick<MemoryBroker, "connect">,
  changes: Partial<ResourcesConfig> = {},
  token: string | null = null,
): Promise<TestServer> {
  const defaults = loadConfig({ env: { SERIALCAST_RESOURCES_LISTEN: "127.0.0.1:0" } })
  const config = { ...defaults, resources: { ...defaults.resources, ...changes } }
  const log = createLogger({ name: "test", level: "silent" })
  const deps = { log, clock: systemClock, metrics: createMetrics(), token, answerMs: 100, patienceMs: 100 }
  const brokerLink = { openStream: () => broker.connect() }
  const devices = await createDeviceClient(testClient(broker), deps)
  const server = await createResourceServer(config, { ...deps, devices, brokerLink })
  onTestFinished(async () => {
    await server.stop()
    await devices.close()
  })
  await server.store.whenReady(30_000)
  return { server, url: `${server.isSecure ? "https" : "http"}://127.0.0.1:${server.address.port}` }
}
