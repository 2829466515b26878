/*
 *   serial-agent ──────────────────→ broker ──→ device client ─┬─ http-gateway
 *   MQTT clients ──→ TCP, WebSocket ───┘ ↑                     ├─ console
 *                                        │                     ├─ tcp-tunnel
 *                                        │                     ├─ webrepl       (or all of them at broker.url)
 *                                        └──── its resources ──┴─ resource-server
 */
import { createBroker, type RunningBroker } from "@serialcast/broker"
import { createConsole, type RunningConsole } from "@serialcast/console"
import { createDeviceClient, type DeviceClient } from "@serialcast/device-stream"
import { createHttpGateway, type RunningHttpGateway } from "@serialcast/http-gateway"
import { createResourceServer, type RunningResourceServer } from "@serialcast/resource-server"
import { createSerialAgent } from "@serialcast/serial-agent"
import {
  type Config,
  connectToBroker,
  createRefusals,
  defaultDevice,
  type RunningAdmin,
  type RunningService,
  type ServiceDeps,
  startAdmin,
  startInOrder,
} from "@serialcast/service-kit"
import {
  connectReporter,
  createTcpTunnel,
  type RunningTcpTunnel,
  type TcpTunnelDeps,
} from "@serialcast/tcp-tunnel"
import { createWebrepl, type RunningWebrepl, type WebreplDeps } from "@serialcast/webrepl"
import type { Served } from "./banner.ts"
import { stoppedOnce } from "./stopped-once.ts"

export interface RunningAll extends RunningService {
  readonly devices: DeviceClient
  /** What is served where, as it is now. */
  served(): Omit<Served, "version">
}

/** Starts all services in this process. Throws `listen_failed` when an address is taken; nothing is left running then. */
export async function startAll(config: Config, deps: ServiceDeps): Promise<RunningAll> {
  const services: RunningService[] = []
  const starting = createStarter(services)
  const admin = starting(() =>
    startAdmin(config.admin.listen, {
      metrics: deps.metrics,
      services: () => services,
      token: deps.token,
      hosts: config.access.hosts,
      refusals: createRefusals({ listener: "admin", ...deps }),
    }),
  )
  const broker = config.broker.url === null ? starting(() => createBroker(config, deps)) : null
  const local = (): ServiceDeps =>
    broker === null ? deps : { ...deps, brokerLink: { localBroker: broker.get().local } }
  const client = starting(() => startDeviceClient(config, local()))
  const http = starting(() => createHttpGateway(config, { ...deps, devices: client.get().devices }))
  const page = starting(() => createConsole(config, { ...deps, devices: client.get().devices }))
  const resources = starting(() =>
    createResourceServer(config, { ...local(), devices: client.get().devices }),
  )
  const tunnels =
    config.tunnels.length === 0
      ? null
      : starting(() => startTunnels(config, { ...local(), devices: client.get().devices }))
  const boards =
    config.webrepl.length === 0
      ? null
      : starting(() => startBoards(config, { ...deps, devices: client.get().devices }))
  // Last, so that no port is opened (which resets many boards) when an address is taken; and to stop before those who
  // wait for the answers to writes, while there is somebody to give them.
  const agent = starting(() => createSerialAgent(config, local()))
  // Here to stop before the agent: what clients sent reaches the device, and a cable's other end hears that it is over.
  const again = [tunnels, boards].map((part) => part && { run: async () => part.get() })
  const parts = [admin, broker, client, http, page, resources, tunnels, boards, agent, ...again]
  const group = await startInOrder(parts.filter((part) => part !== null).map(({ run }) => run))
  return {
    ...group,
    devices: client.get().devices,
    served: () =>
      servedBy(config, deps, {
        admin: admin.get(),
        http: http.get(),
        page: page.get(),
        resources: resources.get(),
        broker: broker?.get() ?? null,
        tunnels: tunnels?.get() ?? null,
        boards: boards?.get() ?? null,
        devices: client.get().devices,
      }),
  }
}

interface Running {
  readonly admin: RunningAdmin
  readonly http: RunningHttpGateway
  readonly page: RunningConsole
  readonly resources: RunningResourceServer
  readonly broker: RunningBroker | null
  readonly tunnels: RunningTcpTunnel | null
  readonly boards: RunningWebrepl | null
  readonly devices: DeviceClient
}

function servedBy(
  config: Config,
  { token }: ServiceDeps,
  { admin, http, page, resources, broker, tunnels, boards, devices }: Running,
): Omit<Served, "version"> {
  return {
    gateway: config.gateway,
    admin: admin.address,
    http: http.address,
    console: page.address,
    resources: { address: resources.address, isSecure: resources.isSecure },
    broker: broker === null ? null : { ...brokerAddresses(broker), root: config.broker.root },
    brokerUrl: config.broker.url,
    tunnels: tunnels?.tunnels() ?? [],
    boards: boards?.listeners() ?? [],
    isConnected: devices.isConnected,
    devices: devices.devices.list(),
    defaultDevice: defaultDevice(config),
    needsToken: token !== null,
  }
}

/** Makes starts that keep what they started, and add it to `services`. */
function createStarter(services: RunningService[]) {
  return <S extends RunningService>(start: () => Promise<S>) => {
    const started: { service?: S } = {}
    const run = async () => {
      const service = await start()
      started.service = service
      services.push(service)
      return service
    }
    return { run, get: () => need(started.service) }
  }
}

interface RunningDeviceClient extends RunningService {
  readonly devices: DeviceClient
}

async function startDeviceClient(config: Config, deps: ServiceDeps): Promise<RunningDeviceClient> {
  const devices = await createDeviceClient(connectToBroker(config, deps, { name: "all-in-one" }), deps)
  return { name: "device-client", devices, isReady: () => devices.isConnected, stop: () => devices.close() }
}

async function startTunnels(config: Config, deps: Omit<TcpTunnelDeps, "broker">): Promise<RunningTcpTunnel> {
  return stoppedOnce(await createTcpTunnel(config, { ...deps, broker: connectReporter(config, deps) }))
}

async function startBoards(config: Config, deps: WebreplDeps): Promise<RunningWebrepl> {
  return stoppedOnce(await createWebrepl(config, deps))
}

function brokerAddresses({
  address,
  websocketAddress,
}: RunningBroker): Omit<NonNullable<Served["broker"]>, "root"> {
  return { mqtt: address, websocket: websocketAddress }
}

function need<S>(service: S | undefined): S {
  if (service === undefined) throw new RangeError("a service was used before it was started")
  return service
}
