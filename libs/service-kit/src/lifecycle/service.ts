import type { BrokerLink } from "@serialcast/broker-client"
import type { Clock } from "@serialcast/primitives"
import type { Registry } from "prom-client"
import type { Logger } from "../log/logger.ts"

/** The effects that every service is given. */
export interface ServiceDeps {
  readonly log: Logger
  readonly clock: Clock
  readonly metrics: Registry
  /** The access token; null: nobody needs one (loopback only, or `access: open`). */
  readonly token: string | null
  /** A broker in this process; absent: the broker is reached over the network. */
  readonly brokerLink?: BrokerLink
}

/** A service that has started. */
export interface RunningService {
  readonly name: string
  /** Whether it can do its work now; answers `/readyz`. */
  isReady(): boolean
  /** Finishes or refuses what it accepted, then frees everything. */
  stop(): Promise<void>
}
