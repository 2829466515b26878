import type { Config, TunnelConfig } from "@serialcast/service-kit"

/** What the tcp-tunnel reads of the configuration. */
export interface TcpTunnelConfig {
  readonly tunnels: readonly TunnelConfig[]
}

export function tcpTunnelConfig({ tunnels }: Config): TcpTunnelConfig {
  return { tunnels }
}
