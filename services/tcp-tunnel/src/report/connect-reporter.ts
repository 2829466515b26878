import type { BrokerClient } from "@serialcast/broker-client"
import { createTopics } from "@serialcast/contract"
import { type Config, connectToBroker, type ServiceDeps } from "@serialcast/service-kit"

/**
 * The broker client of the report, not started yet: `createTunnelReporter` takes it over. Its last will takes the report
 * off the broker (nothing, retained: MQTT-3.3.1-10).
 */
export function connectReporter(config: Config, deps: ServiceDeps): BrokerClient {
  const topics = createTopics(config.broker.root)
  return connectToBroker(config, deps, {
    name: "tcp-tunnel",
    will: (clientId) => ({ destination: topics.tunnels(clientId), payload: new Uint8Array(0) }),
  })
}
