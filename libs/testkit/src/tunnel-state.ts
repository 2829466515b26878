import type { TunnelClient, TunnelState } from "@serialcast/contract"

/** The state of a raw tunnel to `local/uno` that nobody has used, changed by `changes`. */
export function createTunnelState(changes: Partial<TunnelState> = {}): TunnelState {
  return {
    type: "raw",
    endpoint: "127.0.0.1:7001",
    device: "local/uno",
    problem: null,
    link: null,
    clientCount: 0,
    clients: [],
    totals: { clients: 0, refusedClients: 0, fromClients: 0, toClients: 0, refusedBytes: 0 },
    ...changes,
  }
}

/** A client of a tunnel that has sent and got nothing. */
export function createTunnelClient(peer: string): TunnelClient {
  return {
    peer,
    since: "2030-01-01T00:00:00.000Z",
    bytes: { fromClient: 0, toClient: 0 },
    refusedBytes: 0,
    hasControl: false,
  }
}
