import { configKeys } from "./config-keys.ts"
import { isMap, type MergedConfig } from "./environment.ts"
import { formatListenAddress, isLoopback, parseListenAddress } from "./listen-address.ts"
import { listenFormat } from "./schema.ts"

/**
 * Listeners that other machines can reach although nobody said who may use them. Works on the values as given, so
 * that these problems are reported together with those of the schema.
 */
export function exposedListeners({
  values,
}: MergedConfig): readonly { path: readonly string[]; problem: string }[] {
  if (isAccessGiven(valueAt(values, ["access"]))) return []
  return configKeys()
    .filter(({ node }) => node.format === listenFormat)
    .flatMap(({ path }) => {
      const given = valueAt(values, path)
      const address = typeof given === "string" ? parseListenAddress(given) : undefined
      if (address === undefined || isLoopback(address.host)) return []
      const problem =
        `other machines can reach ${formatListenAddress(address)}, and nothing says who may use it; ` +
        "name a token file in access.tokenFile, or listen on 127.0.0.1, or set `access: open`"
      return [{ path, problem }]
    })
}

function isAccessGiven(access: unknown): boolean {
  return access === "open" || (isMap(access) && typeof access["tokenFile"] === "string")
}

function valueAt(values: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (isMap(value) ? value[key] : undefined), values)
}
