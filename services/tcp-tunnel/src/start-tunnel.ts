import type { TunnelConfig } from "@serialcast/service-kit"
import { startRawTunnel } from "./raw/raw-tunnel.ts"
import { startRfc2217Tunnel } from "./rfc2217/rfc2217-tunnel.ts"
import { startSerialtcpClientTunnel } from "./serialtcp/serialtcp-client-tunnel.ts"
import { startSerialtcpServerTunnel } from "./serialtcp/serialtcp-server-tunnel.ts"
import type { Tunnel, TunnelDeps } from "./tunnel.ts"

/** Starts a tunnel of the configured type. Throws `listen_failed`; nothing is left running then. */
export async function startTunnel(config: TunnelConfig, deps: TunnelDeps): Promise<Tunnel> {
  switch (config.type) {
    case "raw":
      return await startRawTunnel(config, deps)
    case "rfc2217":
      return await startRfc2217Tunnel(config, deps)
    case "serialtcp-server":
      return await startSerialtcpServerTunnel(config, deps)
    case "serialtcp-client":
      return await startSerialtcpClientTunnel(config, deps)
  }
}
