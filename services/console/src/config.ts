import { type Config, defaultDevice, type ListenAddress } from "@serialcast/service-kit"

/** What the console reads of the configuration. */
export interface ConsoleConfig {
  readonly listen: ListenAddress
  /** `<gateway>/<device>` of sockets that name none. */
  readonly defaultDevice: string
  /** Names besides localhost under which browsers may address it. */
  readonly hosts: readonly string[]
}

export function consoleConfig(config: Config): ConsoleConfig {
  return { listen: config.console.listen, defaultDevice: defaultDevice(config), hosts: config.access.hosts }
}
