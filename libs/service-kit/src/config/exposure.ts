import { configKeys } from "./config-keys.ts"
import { isMap, type MergedConfig, valueAt } from "./environment.ts"
import { listenFormat } from "./fields.ts"
import { formatListenAddress, isLoopback, parseListenAddress } from "./listen-address.ts"

interface ExposedListener {
  readonly path: readonly string[]
  readonly problem: string
}

/**
 * Listeners that other machines can reach although nobody said who may use them. Works on the values as given, so
 * that these problems are reported together with those of the schema.
 */
export function exposedListeners({ values }: MergedConfig): readonly ExposedListener[] {
  const access = valueAt(values, ["access"])
  return [...(isAccessGiven(access) ? [] : exposedServices(values)), ...exposedTunnels(values, access)]
}

function exposedServices(values: unknown): readonly ExposedListener[] {
  return configKeys()
    .filter(({ node }) => node.format === listenFormat)
    .flatMap(({ path }) => {
      const address = exposedAddress(valueAt(values, path))
      const fix = "name a token file in access.tokenFile, or listen on 127.0.0.1, or set `access: open`"
      return address === undefined ? [] : [{ path, problem: tell(address, fix) }]
    })
}

/** What speaks plain TCP can ask nobody for a token. */
function exposedTunnels(values: unknown, access: unknown): readonly ExposedListener[] {
  const tunnels = valueAt(values, ["tunnels"])
  if (access === "open" || !Array.isArray(tunnels)) return []
  return tunnels.flatMap((tunnel: unknown, at) => {
    const address = exposedAddress(valueAt(tunnel, ["listen"]))
    const allow = valueAt(tunnel, ["allow"])
    if (address === undefined || (allow !== undefined && allow !== null)) return []
    const fix = "name the networks that may connect in allow, or listen on 127.0.0.1, or set `access: open`"
    return [{ path: ["tunnels", String(at), "listen"], problem: tell(address, fix) }]
  })
}

function exposedAddress(given: unknown): string | undefined {
  const address = typeof given === "string" ? parseListenAddress(given) : undefined
  return address === undefined || isLoopback(address.host) ? undefined : formatListenAddress(address)
}

function tell(address: string, fix: string): string {
  return `other machines can reach ${address}, and nothing says who may use it; ${fix}`
}

function isAccessGiven(access: unknown): boolean {
  return access === "open" || (isMap(access) && typeof access["tokenFile"] === "string")
}
