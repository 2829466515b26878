import type { Config, ListenAddress } from "@serialcast/service-kit"

/** What the broker reads of the configuration. */
export interface BrokerConfig {
  readonly listen: ListenAddress
  readonly websocket: ListenAddress
  /** First topic level of the contract. */
  readonly root: string
  /** What one client may leave unread before it is cut off, in bytes. */
  readonly clientBufferBytes: number
  /** Folder of the retained messages; null: in memory only. */
  readonly dir: string | null
  /** What a power failure may cost of them, in milliseconds. */
  readonly syncMs: number
  /** Names besides localhost under which browsers may address it. */
  readonly hosts: readonly string[]
}

export function brokerConfig({ broker, access }: Pick<Config, "broker" | "access">): BrokerConfig {
  const { listen, websocket, root, clientBufferBytes, dir, syncMs } = broker
  return { listen, websocket, root, clientBufferBytes, dir, syncMs, hosts: access.hosts }
}
