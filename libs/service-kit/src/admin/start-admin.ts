import type { ListenAddress } from "../config/config.ts"
import { isLoopback } from "../config/listen-address.ts"
import type { RunningService } from "../lifecycle/service.ts"
import { closeServer } from "../listen/close-server.ts"
import { listen } from "../listen/listen.ts"
import { type AdminOptions, createAdminServer } from "./admin-server.ts"

export interface RunningAdmin extends RunningService {
  readonly address: ListenAddress
}

/**
 * Serves the admin endpoints; start it first, so that it can say that the others are not ready. The token is asked for
 * only where other machines can reach it: it shows no device data and changes nothing.
 */
export async function startAdmin(listenAt: ListenAddress, options: AdminOptions): Promise<RunningAdmin> {
  const { token = null } = options
  const server = createAdminServer({ ...options, token: isLoopback(listenAt.host) ? null : token })
  const address = await listen(server, listenAt, "admin")
  return { name: "admin", address, isReady: () => true, stop: () => closeServer(server) }
}
