import type { LocalBroker } from "@serialcast/broker-client"
import type { Config, RunningService, ServiceDeps } from "@serialcast/service-kit"
import { brokerConfig } from "./config.ts"
import { createBrokerCounters } from "./metrics.ts"
import { createMqtt } from "./mqtt/mqtt.ts"

export interface RunningProcessBroker extends RunningService {
  readonly local: LocalBroker
}

/** Starts a broker for the services of this process alone: nothing listens, and nothing outlives it. */
export async function createProcessBroker(
  config: Pick<Config, "broker" | "access">,
  deps: ServiceDeps,
): Promise<RunningProcessBroker> {
  const { root, clientBufferBytes } = brokerConfig(config)
  const counters = createBrokerCounters(deps.metrics)
  const inMemory = { dir: null, syncMs: 0, maxRetainedBytes: clientBufferBytes / 2 }
  const mqtt = await createMqtt({ root, ...inMemory }, { ...deps, counters })
  return { name: "broker", local: mqtt.local, isReady: () => true, stop: () => mqtt.close() }
}
