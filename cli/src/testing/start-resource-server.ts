import { createDeviceClient } from "@serialcast/device-stream"
import { systemClock } from "@serialcast/primitives"
import { createResourceServer, type RunningResourceServer } from "@serialcast/resource-server"
import {
  type Config,
  connectToBroker,
  createLogger,
  createMetrics,
  loadConfig,
  type Registry,
} from "@serialcast/service-kit"
import { onTestFinished } from "vitest"

export interface TestResourceServer {
  readonly server: RunningResourceServer
  /** Without a slash at its end. */
  readonly url: string
  readonly metrics: Registry
}

/** One more resource server at a broker, as in a process of its own. It is stopped with the test. */
export async function startResourceServer(
  mqttUrl: string,
  resources: Partial<Config["resources"]> = {},
): Promise<TestResourceServer> {
  const log = createLogger({ name: "test", level: "silent" })
  const deps = { log, clock: systemClock, metrics: createMetrics(), token: null }
  const env = { SERIALCAST_RESOURCES_LISTEN: "127.0.0.1:0", SERIALCAST_BROKER_URL: mqttUrl }
  const defaults = loadConfig({ env })
  const config = { ...defaults, resources: { ...defaults.resources, ...resources } }
  const devices = await createDeviceClient(connectToBroker(config, deps, { name: "test" }), deps)
  const server = await createResourceServer(config, { ...deps, devices, answerMs: 100 })
  onTestFinished(async () => {
    await server.stop()
    await devices.close()
  })
  await server.store.whenReady(30_000)
  return { server, url: `http://127.0.0.1:${server.address.port}`, metrics: deps.metrics }
}
