import type { RawTunnel } from "@serialcast/service-kit"
import { serveClients } from "../listen/serve-clients.ts"
import type { Tunnel, TunnelDeps } from "../tunnel.ts"
import { serveRawClient } from "./serve-raw-client.ts"

/** Starts a tunnel of bare bytes. Throws `listen_failed`. */
export async function startRawTunnel(config: RawTunnel, deps: TunnelDeps): Promise<Tunnel> {
  return await serveClients(config, deps, (client) => serveRawClient(client, config, deps))
}
