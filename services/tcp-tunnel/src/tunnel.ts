import type { TunnelState } from "@serialcast/contract"
import type { DeviceClient } from "@serialcast/device-stream"
import type { Clock } from "@serialcast/primitives"
import type { PeerWatch } from "@serialcast/primitives/tcp"
import type { ListenAddress, Logger } from "@serialcast/service-kit"

/** What every kind of tunnel is given. */
export interface TunnelDeps {
  /** Stays the caller's. */
  readonly devices: DeviceClient
  readonly clock: Clock
  /** Notices the other ends of connections that vanish; one for all tunnels. */
  readonly peers: PeerWatch
  readonly log: Logger
  /** Something that `state()` tells is different; not called for counters of bytes, which change all the time. */
  readonly onChange: () => void
}

/** One entry of the configuration's `tunnels` at work. */
export interface Tunnel {
  /** What it is doing now, with all of its clients. */
  state(): TunnelState
  /** Where it listens; the port is the real one when 0 was asked for. null: it dials. */
  readonly address: ListenAddress | null
  /** Ends every connection and frees everything, within 2 s. */
  stop(): Promise<void>
}
