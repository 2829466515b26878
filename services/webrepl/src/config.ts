import type { Config, WebreplConfig } from "@serialcast/service-kit"

/** What the webrepl service reads of the configuration. */
export interface WebreplServiceConfig {
  readonly boards: readonly WebreplConfig[]
}

export function webreplConfig({ webrepl }: Config): WebreplServiceConfig {
  return { boards: webrepl }
}
