import { type Config, defaultDevice, type ListenAddress, namedDevices } from "@serialcast/service-kit"

/** What the http-gateway reads of the configuration. */
export interface HttpGatewayConfig {
  readonly listen: ListenAddress
  /** `<gateway>/<device>` of hex requests that name none. */
  readonly defaultDevice: string
  /** Whether `/readbytes` and `/writebytes` are served. */
  readonly hexServer: boolean
  /** Names besides localhost under which browsers may address it. */
  readonly hosts: readonly string[]
  /** Addresses of devices that must be there, though nobody told of them yet. */
  readonly named: ReadonlySet<string>
}

export function httpGatewayConfig(config: Config): HttpGatewayConfig {
  const { listen, hexServer } = config.http
  return {
    listen,
    defaultDevice: defaultDevice(config),
    hexServer,
    hosts: config.access.hosts,
    named: namedDevices(config),
  }
}
