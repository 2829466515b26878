/*
 *   HTTP clients ⇄ listener ─→ guard ─┬─ /devices/…/tx, … ─→ device client ⇄ broker
 *                                     ├─ /api/ ─→ management ─┬─→ store ⇄ broker ⇄ the stores of other servers
 *                                     └─ all else ─→ resources ┘
 *                                                       └─ events ─→ broker, webhooks
 */
import type { DeviceClient } from "@serialcast/device-stream"
import { createResourceServer as createHttp, createResourceHandler } from "@serialcast/resources"
import {
  type Config,
  closeServer,
  connectToBroker,
  createRefusals,
  createRequestGuard,
  type ListenAddress,
  listen,
  type RunningService,
  type ServiceDeps,
  shareConnections,
} from "@serialcast/service-kit"
import { createManagement } from "./api/manage-resources.ts"
import { resourceServerConfig } from "./config.ts"
import { startDevices } from "./devices/start-devices.ts"
import { createRequestTeller } from "./events/tell-requests.ts"
import { passOn } from "./http/pass-on.ts"
import { type BrokerStore, createBrokerStore } from "./replica/broker-store.ts"

export interface ResourceServerDeps extends ServiceDeps {
  /** Stays the caller's: stopping the service does not close it. */
  readonly devices: DeviceClient
  /** How long another server may take to answer one that starts, in milliseconds. Default: 1,000. */
  readonly answerMs?: number
  /** How long a request waits for a broker that is away, in milliseconds. Default: 5,000. */
  readonly patienceMs?: number
}

export interface RunningResourceServer extends RunningService {
  /** Where it listens; the port is the real one when 0 was asked for. */
  readonly address: ListenAddress
  readonly isSecure: boolean
  readonly store: BrokerStore
}

const maxConnections = 1_024
/** Longer than a broker on the same box takes to start again, shorter than clients wait. */
const defaultPatienceMs = 5_000

/** Starts the resource server. Throws `bad_config` for files that cannot be read, and `listen_failed`. */
export async function createResourceServer(
  config: Config,
  deps: ResourceServerDeps,
): Promise<RunningResourceServer> {
  const { clock, log, token, patienceMs = defaultPatienceMs, answerMs } = deps
  const { tls, hosts, maxUri, maxBody, maxBytes, html, webhooks, ...rest } = resourceServerConfig(config)
  const refusals = createRefusals({ listener: "resources", ...deps })
  // The cookie of the page is for its own listener: what is served here is anybody's.
  const guard = createRequestGuard({ token, hosts, clock, refusals, acceptsCookie: false })
  const broker = connectToBroker(config, deps, { name: "resource-server" })
  const teller = createRequestTeller(broker, webhooks, deps)
  const store = await createBrokerStore({
    broker,
    clock,
    log,
    maxUri,
    maxBody,
    maxBytes,
    ...(answerMs === undefined ? {} : { answerMs }),
  })
  const manage = createManagement({ store, clock, log, maxBody })
  const serve = createResourceHandler(store, {
    maxBodyBytes: maxBody,
    allowHtml: html,
    clock,
    check: teller.check,
    onRequest: teller.tell,
    onError: (error) => log.error({ err: error }, "a request failed"),
  })
  const own = startDevices(config, { ...deps, store })
  const passed = passOn({ guard, store, findDevice: own.find, manage, serve, patienceMs })
  const server = createHttp(passed, { tls, maxConnections })
  shareConnections(server, maxConnections, refusals)
  try {
    const address = await listen(server, rest.listen, "resources")
    return {
      name: "resource-server",
      address,
      isSecure: tls !== undefined,
      store,
      isReady: () => store.isReady,
      async stop() {
        await own.stop()
        await closeServer(server)
        await Promise.all([teller.stop(), store.close()])
      },
    }
  } catch (error) {
    await own.stop()
    await store.close()
    throw error
  }
}
