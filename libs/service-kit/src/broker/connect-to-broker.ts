import { randomBytes } from "node:crypto"
import {
  type BrokerClient,
  type BrokerClientOptions,
  createBrokerClient,
  streamOpener,
} from "@serialcast/broker-client"
import { createTopics } from "@serialcast/contract"
import { brokerPassword } from "../access/token.ts"
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
  { broker }: Config,
  { clock, log, token, brokerLink }: ServiceDeps,
  { name, will, birth }: BrokerConnection,
): BrokerClient {
  const clientId = `${name}-${randomBytes(4).toString("hex")}`
  const link = brokerLink ?? { openStream: streamOpener(brokerUrl(broker)) }
  const credentials = broker.url === null ? ownLogin(name, token) : loginIn(broker.url, name)
  const topics = createTopics(broker.root)
  const lifeSigns = {
    ...(will === undefined ? {} : { will: typeof will === "function" ? will(clientId) : will }),
    ...(birth === undefined ? {} : { birth }),
  }
  return createBrokerClient({ clientId, topics, ...link, credentials, ...lifeSigns }, { clock, log })
}

/** Where the services find the broker: `broker.url`, or the gateway's own, by its name or where it listens. */
export function brokerUrl({ url, host, listen }: Config["broker"]): string {
  const own = host === null ? listen : { ...listen, host }
  return url ?? `mqtt://${formatListenAddress(own)}`
}

type Credentials = BrokerClientOptions["credentials"]

function ownLogin(name: string, token: string | null): Credentials {
  return token === null ? null : { username: name, password: brokerPassword(token, name) }
}

/** Nothing but what the URL of somebody's broker says goes there. */
function loginIn(url: string, name: string): Credentials {
  const { username, password } = new URL(url)
  if (username === "" && password === "") return null
  return {
    username: username === "" ? name : decodeURIComponent(username),
    password: decodeURIComponent(password),
  }
}
