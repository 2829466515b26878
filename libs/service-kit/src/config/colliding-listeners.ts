import type { ListenAddress } from "./config.ts"
import { configKeys } from "./config-keys.ts"
import { type MergedConfig, valueAt } from "./environment.ts"
import { listenFormat } from "./fields.ts"
import { formatListenAddress, parseListenAddress } from "./listen-address.ts"
import { isSamePlace } from "./same-place.ts"

/** Parts of the configuration that have listeners. */
export type ListeningPart = "broker" | "http" | "console" | "admin" | "tunnels" | "webrepl" | "resources"

/** Whoever runs everything in one process opens them all. */
export const listeningParts: readonly ListeningPart[] = [
  "broker",
  "http",
  "console",
  "admin",
  "tunnels",
  "webrepl",
  "resources",
]

interface Listener {
  readonly path: readonly string[]
  readonly address: ListenAddress
}

interface Collision {
  /** Of one that somebody wrote down, when the other is a default. */
  readonly path: readonly string[]
  readonly address: ListenAddress
  readonly other: Listener
}

/**
 * Listeners of `parts` that are in the way of another one of them: one process cannot open both. Works on the values as
 * given, so that these problems are reported together with those of the schema.
 */
export function collidingListeners(
  { values }: MergedConfig,
  parts: readonly ListeningPart[],
): readonly Collision[] {
  const services = configKeys()
    .filter(({ path, node }) => node.format === listenFormat && !path.includes("[]"))
    .filter(({ path: [part] }) => parts.some((one) => one === part))
    .filter(({ path: [part] }) => part !== "broker" || !isGiven(valueAt(values, ["broker", "url"])))
    .map(({ path, node }) => ({ path, given: valueAt(values, path), byDefault: node.default }))
  const listeners = [
    ...services
      .filter(({ given }) => !isGiven(given))
      .flatMap(({ path, byDefault }) => listenerAt(path, byDefault)),
    ...services.filter(({ given }) => isGiven(given)).flatMap(({ path, given }) => listenerAt(path, given)),
    ...parts.flatMap((part) => listedListeners(values, part)),
  ]
  return listeners.flatMap((listener, at) => {
    const other = listeners.slice(0, at).find(({ address }) => isSamePlace(address, listener.address))
    return other === undefined ? [] : [{ ...listener, other }]
  })
}

/** One sentence; `nameOf` says what the user calls the key at a path. */
export function describeCollision(
  { path, address, other }: Collision,
  nameOf: (path: readonly PropertyKey[]) => string,
): string {
  const taken = `${nameOf(other.path)} (${formatListenAddress(other.address)})`
  return `${nameOf(path)}: expected another port than that of ${taken}, found "${formatListenAddress(address)}"`
}

/** Of a part that is a list, like `tunnels`; an entry that does not say where it listens does so at the default. */
function listedListeners(values: unknown, part: ListeningPart): readonly Listener[] {
  const entries = valueAt(values, [part])
  if (!Array.isArray(entries)) return []
  const byDefault = configKeys().find(({ path }) => path.join(".") === `${part}.[].listen`)?.node.default
  return entries.flatMap((entry: unknown, at) =>
    listenerAt([part, String(at), "listen"], valueAt(entry, ["listen"]) ?? byDefault),
  )
}

/** None where `value` is no address, of which the schema tells. */
function listenerAt(path: readonly string[], value: unknown): readonly Listener[] {
  const address = typeof value === "string" ? parseListenAddress(value) : undefined
  return address === undefined ? [] : [{ path, address }]
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}
