import { randomBytes } from "node:crypto"
import {
  type BrokerClient,
  type BrokerClientOptions,
  createBrokerClient,
  streamOpener,
} from "@serialcast/broker-client"
import { createTopics } from "@serialcast/contract"
import type { Config } from "../config/config.ts"
import { formatListenAddress } from "../config/listen-address.ts"
import type { ServiceDeps } from "../lifecycle/service.ts"

type Will = NonNullable<BrokerClientOptions["will"]>

export interface BrokerConnection extends Pick<BrokerClientOptions, "birth"> {
  /** The service's name; with a random ending it becomes the client id, so that replicas may share a broker. */
  readonly name: string
  /** Published by the broker when this client vanishes; made by the client id when its topic has that. */
  readonly will?: Will | ((clientId: string) => Will)
}

/**
 * The broker client of a service, not started yet: joined to the broker in this process where there is one, else to
 * `broker.url`, else to where the configuration's own broker listens.
 */
export function connectToBroker(
  { broker: { root, url, listen } }: Config,
  { clock, log, token, brokerLink }: ServiceDeps,
  { name, will, birth }: BrokerConnection,
): BrokerClient {
  const clientId = `${name}-${randomBytes(4).toString("hex")}`
  const link = brokerLink ?? { openStream: streamOpener(url ?? `mqtt://${formatListenAddress(listen)}`) }
  const credentials = credentialsOf(url) ?? (token === null ? null : { username: name, password: token })
  const topics = createTopics(root)
  const lifeSigns = {
    ...(will === undefined ? {} : { will: typeof will === "function" ? will(clientId) : will }),
    ...(birth === undefined ? {} : { birth }),
  }
  return createBrokerClient({ clientId, topics, ...link, credentials, ...lifeSigns }, { clock, log })
}

/** The user and password that a broker's URL names; null when it names none. */
function credentialsOf(url: string | null): { username: string; password: string } | null {
  if (url === null) return null
  const { username, password } = new URL(url)
  return username === ""
    ? null
    : { username: decodeURIComponent(username), password: decodeURIComponent(password) }
}
