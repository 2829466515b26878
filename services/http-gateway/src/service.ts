import { setMaxListeners } from "node:events"
import { Arrivals, type DeviceClient } from "@serialcast/device-stream"
import { LoopTurns } from "@serialcast/primitives"
import {
  type Config,
  closeServer,
  createHttpServer,
  createRefusals,
  createRequestGuard,
  type ListenAddress,
  listen,
  type RunningService,
  type ServiceDeps,
} from "@serialcast/service-kit"
import { createApp } from "./app.ts"
import { createHeldMemory } from "./body/held-memory.ts"
import { httpGatewayConfig } from "./config.ts"
import { createReaderMetrics } from "./metrics.ts"
import { createEncodings } from "./sse/encodings.ts"
import { createAcceptedWrites } from "./writes/accepted-writes.ts"

// A `/writebytes` request line alone may be 64 KiB long.
const maxHeaderBytes = 80 * 1024
const maxConnections = 4_096

export interface HttpGatewayDeps extends ServiceDeps {
  /** Stays the caller's: stopping the gateway does not close it. */
  readonly devices: DeviceClient
}

export interface RunningHttpGateway extends RunningService {
  /** Where it listens; the port is the real one when 0 was asked for. */
  readonly address: ListenAddress
}

/** Starts REST, SSE and the hex server on one listener. Throws `listen_failed`. */
export async function createHttpGateway(config: Config, deps: HttpGatewayDeps): Promise<RunningHttpGateway> {
  const { devices, token, clock, log } = deps
  const refusals = createRefusals({ listener: "http", ...deps })
  const { listen: listenAt, defaultDevice, hexServer, hosts, named } = httpGatewayConfig(config)
  const stopping = new AbortController()
  // Every reader listens to it: more than ten are no leak here.
  setMaxListeners(0, stopping.signal)
  const arrivals = new Arrivals(devices, { clock, named, signal: stopping.signal })
  const writes = createAcceptedWrites(devices, clock)
  const app = createApp({
    guard: createRequestGuard({ token, hosts, clock, refusals }),
    devices,
    memory: createHeldMemory(),
    turns: new LoopTurns(),
    arrivals,
    readers: createReaderMetrics(deps.metrics),
    encodings: createEncodings(),
    writes,
    clock,
    log,
    stopping: stopping.signal,
    defaultDevice,
    hexServer,
  })
  // A body that is written while it comes in may take hours: each kind of body has a limit of its own instead.
  const server = createHttpServer({ refusals, maxConnections, maxHeaderBytes, requestTimeoutMs: 0 }, app)
  const address = await listen(server, listenAt, "http")
  return {
    name: "http-gateway",
    address,
    isReady: () => devices.isConnected,
    async stop() {
      stopping.abort()
      // Nobody else comes in meanwhile: a connection that is refused is tried again, what the stop answers may not be.
      server.close()
      await writes.finish()
      await closeServer(server)
    },
  }
}
