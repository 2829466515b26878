import { readFileSync } from "node:fs"
import { AppError } from "@serialcast/contract"
import type { Config, ResourcesConfig } from "@serialcast/service-kit"

/** What the resource server reads of the configuration. */
export interface ResourceServerConfig extends Omit<ResourcesConfig, "tls"> {
  /** PEM; undefined: clients come without TLS. */
  readonly tls: { readonly cert: Uint8Array; readonly key: Uint8Array } | undefined
  /** Names besides localhost under which browsers may address it. */
  readonly hosts: readonly string[]
}

/** Throws `bad_config` when key or certificate cannot be read. */
export function resourceServerConfig({ resources, access }: Config): ResourceServerConfig {
  const { tls, ...rest } = resources
  const files =
    tls === null
      ? undefined
      : { cert: read(tls.cert, "resources.tls.cert"), key: read(tls.key, "resources.tls.key") }
  return { ...rest, tls: files, hosts: access.hosts }
}

function read(file: string, name: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new AppError("bad_config", `${name}: ${file} cannot be read: ${String(cause)}.`, { cause })
  }
}
