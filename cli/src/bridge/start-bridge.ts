/*
 *   serial-agent ─→ broker (in this process only) ─→ device client ─→ tunnel ⇄ TCP
 */
import { createProcessBroker } from "@serialcast/broker"
import type { DeviceState, TunnelState } from "@serialcast/contract"
import { createDeviceClient } from "@serialcast/device-stream"
import { createMemoryJournals } from "@serialcast/journal"
import { createPeerWatch } from "@serialcast/primitives/tcp"
import { createSerialAgent } from "@serialcast/serial-agent"
import {
  type Config,
  connectToBroker,
  type RunningService,
  type ServiceDeps,
  startInOrder,
} from "@serialcast/service-kit"
import { startTunnel, type Tunnel } from "@serialcast/tcp-tunnel"
import { stoppedOnce } from "../up/stopped-once.ts"
import { bridgedDevice } from "./bridge-config.ts"

export interface RunningBridge {
  /** undefined: not known yet. */
  device(): DeviceState | undefined
  tunnel(): TunnelState
  stop(): Promise<void>
}

export interface BridgeDeps extends Omit<ServiceDeps, "brokerLink"> {
  /** What `device` or `tunnel` tells is different, but for counters of bytes. */
  readonly onChange: () => void
}

/**
 * Starts what it takes to bridge the one device and the one tunnel of `config`; what the device sends is kept in memory
 * only. Throws `listen_failed` before the port is touched; nothing is left running then.
 */
export async function startBridge(config: Config, deps: BridgeDeps): Promise<RunningBridge> {
  const { clock, onChange } = deps
  const broker = await createProcessBroker(config, deps)
  const local = { ...deps, brokerLink: { localBroker: broker.local } }
  const devices = await createDeviceClient(connectToBroker(config, local, { name: "bridge" }), deps)
  const started: { tunnel?: Tunnel; service?: RunningService } = {}
  devices.devices.onChange(onChange)
  const group = await startInOrder(
    [
      async () => broker,
      async () => service("device-client", () => devices.close()),
      async () => {
        const [settings] = config.tunnels
        if (settings === undefined) throw new RangeError("a bridge has one tunnel")
        const tunnel = await startTunnel(settings, { ...deps, devices, peers: createPeerWatch({ clock }) })
        started.tunnel = tunnel
        started.service = stoppedOnce(service("tunnel", () => tunnel.stop()))
        return started.service
      },
      // Last: opening the port resets many boards, so that it waits until the address is had.
      () => createSerialAgent(config, { ...local, journals: createMemoryJournals(deps) }),
      // Again, to stop before the agent: what clients sent reaches the device, and a cable's other end hears the end.
      async () => need(started.service),
    ],
    { clock },
  )
  const tunnel = need(started.tunnel)
  return {
    device: () => devices.devices.get(bridgedDevice),
    tunnel: () => tunnel.state(),
    stop: () => group.stop(),
  }
}

function need<T>(part: T | undefined): T {
  if (part === undefined) throw new RangeError("a tunnel was used before it was started")
  return part
}

function service(name: string, stop: () => Promise<void>): RunningService {
  return { name, isReady: () => true, stop }
}
