/*
 *   TCP clients ⇄ tunnels ⇄ device client ⇄ broker
 *                    └─ report ─→ broker
 */
import type { BrokerClient } from "@serialcast/broker-client"
import type { TunnelState } from "@serialcast/contract"
import type { DeviceClient } from "@serialcast/device-stream"
import { createPeerWatch } from "@serialcast/primitives/tcp"
import type { Config, RunningService, ServiceDeps } from "@serialcast/service-kit"
import { tcpTunnelConfig } from "./config.ts"
import { registerTunnelMetrics } from "./metrics.ts"
import { createTunnelReporter } from "./report/tunnel-reporter.ts"
import { startTunnel } from "./start-tunnel.ts"
import type { Tunnel, TunnelDeps } from "./tunnel.ts"

export interface TcpTunnelDeps extends ServiceDeps {
  /** Stays the caller's: stopping the tunnels does not close it. */
  readonly devices: DeviceClient
  /** For the report, as `connectReporter` makes it; taken over. */
  readonly broker: BrokerClient
}

export interface RunningTcpTunnel extends RunningService {
  /** The tunnels as they are now, in the order of the configuration. */
  tunnels(): readonly TunnelState[]
}

/**
 * Starts all tunnels of the configuration, and reports on them on the broker. Throws `listen_failed` when one of them
 * cannot listen; nothing is left running then.
 */
export async function createTcpTunnel(config: Config, deps: TcpTunnelDeps): Promise<RunningTcpTunnel> {
  const { devices, broker, clock, log, metrics } = deps
  const tunnels: Tunnel[] = []
  const states = () => tunnels.map((tunnel) => tunnel.state())
  const stopTunnels = () => Promise.all(tunnels.map((tunnel) => tunnel.stop()))
  let tellChange = () => {}
  try {
    const peers = createPeerWatch({ clock })
    const tunnelDeps: TunnelDeps = { devices, clock, peers, log, onChange: () => tellChange() }
    for (const tunnel of tcpTunnelConfig(config).tunnels) tunnels.push(await startTunnel(tunnel, tunnelDeps))
    const reporter = await createTunnelReporter({ broker, clock, log, states })
    tellChange = () => reporter.changed()
    registerTunnelMetrics(metrics, states)
    return {
      name: "tcp-tunnel",
      tunnels: states,
      isReady: () => devices.isConnected,
      async stop() {
        // Each has its own deadline, and a process 5 s for all: one that is dead must not wait for the other.
        await Promise.all([stopTunnels(), reporter.stop()])
      },
    }
  } catch (error) {
    await stopTunnels()
    await broker.close()
    throw error
  }
}
