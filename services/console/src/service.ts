import { setMaxListeners } from "node:events"
import { Arrivals } from "@serialcast/device-stream"
import {
  type Config,
  closeServer,
  createHttpServer,
  createRefusals,
  createRequestGuard,
  type ListenAddress,
  listen,
  namedDevices,
  onUpgrade,
  type RunningService,
  type ServiceDeps,
} from "@serialcast/service-kit"
import { consoleConfig } from "./config.ts"
import { type ConsoleDevices, createPatientDevices } from "./console-devices.ts"
import { createApp } from "./http/app.ts"
import { builtPage } from "./http/page.ts"
import { createConsoleMetrics } from "./metrics.ts"
import { createSocketServer } from "./socket/socket-server.ts"

export interface ConsoleDeps extends ServiceDeps {
  /** Stays the caller's: stopping the console does not close it. */
  readonly devices: ConsoleDevices
  /** The folder of the built page; default: where `npm run build` puts it. */
  readonly pageDir?: string
}

export interface RunningConsole extends RunningService {
  /** Where it listens; the port is the real one when 0 was asked for. */
  readonly address: ListenAddress
}

/** Starts the page and its WebSockets. Throws `listen_failed`. */
export async function createConsole(config: Config, deps: ConsoleDeps): Promise<RunningConsole> {
  const { token, clock, log, pageDir = builtPage } = deps
  const { listen: listenAt, defaultDevice, hosts } = consoleConfig(config)
  const stopping = new AbortController()
  // Every write that waits listens to it: more than ten are no leak here.
  setMaxListeners(0, stopping.signal)
  const arrivals = new Arrivals(deps.devices, {
    clock,
    named: namedDevices(config),
    signal: stopping.signal,
  })
  const devices = createPatientDevices(deps.devices, arrivals, stopping.signal)
  const refusals = createRefusals({ listener: "console", ...deps })
  const guard = createRequestGuard({ token, hosts, clock, refusals })
  const sockets = createSocketServer({
    guard,
    devices,
    defaultDevice,
    clock,
    log,
    refusals,
    metrics: createConsoleMetrics(deps.metrics),
  })
  const server = createHttpServer(
    { refusals },
    createApp({ guard, token, hosts, refusals, devices, log, pageDir }),
  )
  onUpgrade(server, (request, connection, head) => sockets.handleUpgrade(request, connection, head))
  const address = await listen(server, listenAt, "console")
  return {
    name: "console",
    address,
    isReady: () => devices.isConnected,
    async stop() {
      stopping.abort()
      // Nobody else comes in meanwhile: a connection that is refused is tried again.
      server.close()
      // Before what is still open is cut, and with it the receipts.
      await sockets.stop()
      await closeServer(server)
    },
  }
}
