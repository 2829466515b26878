import { createServer, type Server } from "node:net"
import type { Duplex } from "node:stream"
import type { LocalBroker } from "@serialcast/broker-client"
import { AppError } from "@serialcast/contract"
import { withDeadline } from "@serialcast/primitives"
import {
  type Config,
  closeServer,
  createRefusals,
  createRequestGuard,
  type ListenAddress,
  listen,
  type RunningService,
  type ServiceDeps,
} from "@serialcast/service-kit"
import { brokerConfig } from "./config.ts"
import { Connections } from "./connection/connections.ts"
import { type BrokerCounters, createBrokerCounters, registerBrokerGauges } from "./metrics.ts"
import { createMqtt } from "./mqtt/mqtt.ts"
import type { Origin } from "./rules/login.ts"
import { createWebSocketListener } from "./websocket-listener.ts"

/** Four times the contract's largest payload. */
const maxPacketBytes = 256 * 1024

/** What all clients together may leave unread: some twenty frozen ones, each at its default limit. */
const maxTotalHeldBytes = 256 * 1024 * 1024

const maxConnectionsPerListener = 1_000

// Finds out that a peer vanished, for clients that chose no MQTT keep-alive.
const tcpKeepAliveMs = 60_000

const stopTimeoutMs = 3_000

export interface RunningBroker extends RunningService {
  /** For the other services of this process; it needs no log-in. */
  readonly local: LocalBroker
  /** Where MQTT over TCP listens; the port is the real one when 0 was asked for. */
  readonly address: ListenAddress
  /** Where MQTT over WebSocket listens. */
  readonly websocketAddress: ListenAddress
}

/**
 * Starts the embedded MQTT 3.1.1 broker. When `deps.token` is set it is the password of every client from the
 * network. Throws `listen_failed`, and `retained_taken` when another broker uses its folder.
 */
export async function createBroker(
  config: Pick<Config, "broker" | "access">,
  deps: ServiceDeps,
): Promise<RunningBroker> {
  const { clientBufferBytes, listen: tcpAddress, websocket, hosts, ...own } = brokerConfig(config)
  const { clock } = deps
  const counters = createBrokerCounters(deps.metrics)
  // A new subscriber to everything is sent all retained messages at once: half of what it may leave unread.
  const mqtt = await createMqtt({ ...own, maxRetainedBytes: clientBufferBytes / 2 }, { ...deps, counters })
  const handle = mqtt.handle.bind(mqtt)
  const connections = new Connections({
    maxHeldBytes: clientBufferBytes,
    maxTotalHeldBytes: Math.max(maxTotalHeldBytes, clientBufferBytes),
    maxPacketBytes,
    handle,
  })
  registerBrokerGauges(deps.metrics, {
    connectedClients: () => mqtt.connectedClients,
    heldBytes: () => connections.heldBytes,
    isRetainedAway: () => mqtt.isRetainedAway,
  })
  const { tcp, web } = createListeners(hosts, deps, { connections, counters })
  let isStopping = false
  const stop = async () => {
    isStopping = true
    const closed = [tcp, web].map((server) => closeServer(server, { clock }))
    const error = () => new AppError("internal", `MQTT clients did not end within ${stopTimeoutMs} ms.`)
    try {
      await withDeadline(mqtt.close(), { clock, timeoutMs: stopTimeoutMs, error })
    } finally {
      connections.close()
      await Promise.all(closed)
    }
  }
  try {
    return {
      name: "broker",
      address: await listen(tcp, tcpAddress, "MQTT"),
      websocketAddress: await listen(web, websocket, "MQTT over WebSocket"),
      isReady: () => !isStopping,
      local: mqtt.local,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function createListeners(
  hosts: readonly string[],
  deps: ServiceDeps,
  { connections, counters }: { connections: Connections; counters: BrokerCounters },
): { tcp: Server; web: Server } {
  const accept = (transport: Duplex, address: string | undefined) => {
    const origin: Origin = { kind: "network", address: address ?? "unknown" }
    connections.accept(transport, origin)
  }
  const keepAlive = { keepAlive: true, keepAliveInitialDelay: tcpKeepAliveMs }
  const tcp = createServer({ noDelay: true, ...keepAlive }, (socket) => accept(socket, socket.remoteAddress))
  const refusals = createRefusals({ listener: "mqtt-websocket", ...deps })
  const web = createWebSocketListener({
    guard: createRequestGuard({ token: null, hosts, clock: deps.clock, refusals }),
    refusals,
    maxConnections: maxConnectionsPerListener,
    keepAliveInitialDelayMs: tcpKeepAliveMs,
    accept: (stream, { socket }) => accept(stream, socket.remoteAddress),
  })
  tcp.maxConnections = maxConnectionsPerListener
  for (const server of [tcp, web]) server.on("drop", () => counters.countDropped())
  return { tcp, web }
}
