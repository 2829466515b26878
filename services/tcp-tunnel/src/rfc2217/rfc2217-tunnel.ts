import { setMaxListeners } from "node:events"
import { formatAddress } from "@serialcast/contract"
import type { Rfc2217Tunnel } from "@serialcast/service-kit"
import { serveClients } from "../listen/serve-clients.ts"
import type { Tunnel, TunnelDeps } from "../tunnel.ts"
import { sharedControl } from "./control.ts"
import { ExclusiveControl } from "./exclusive-control.ts"
import { ServedClient } from "./served-client.ts"
import { SharedPort } from "./shared-port.ts"

/**
 * Telnet with the COM-PORT option (RFC 2217): what pySerial opens as `rfc2217://host:port`, and telnet as a terminal.
 * Throws `listen_failed`.
 */
export async function startRfc2217Tunnel(config: Rfc2217Tunnel, deps: TunnelDeps): Promise<Tunnel> {
  const { devices, clock } = deps
  const device = devices.device(config.device)
  const state = () => devices.devices.get(config.device)
  const port = new SharedPort({ lines: config.lines, state, clock })
  const control =
    config.control === "exclusive" ? new ExclusiveControl({ device, state, clock }) : sharedControl
  const served = new Set<ServedClient>()
  const stopping = new AbortController()
  // Every client that leaves listens: more than ten are no leak here.
  setMaxListeners(0, stopping.signal)
  const forget = devices.devices.onChange((changed) => {
    if (formatAddress(changed) !== config.device) return
    control.deviceChanged()
    for (const client of served) client.deviceChanged()
  })
  const end = async () => {
    stopping.abort()
    forget()
    await control.stop()
  }
  try {
    const tunnel = await serveClients(config, deps, async (connected) => {
      const client = new ServedClient(connected, {
        ...deps,
        config,
        device,
        port,
        control,
        stopping: stopping.signal,
      })
      served.add(client)
      try {
        await client.run()
      } finally {
        served.delete(client)
      }
    })
    return {
      state: () => tunnel.state(),
      address: tunnel.address,
      async stop() {
        stopping.abort()
        await Promise.all([tunnel.stop(), ...[...served].map((client) => client.stop())])
        await end()
      },
    }
  } catch (error) {
    await end()
    throw error
  }
}
