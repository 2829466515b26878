import { closestName } from "./closest-name.ts"
import { type ConfigKey, configKeys, variablePrefix } from "./config-keys.ts"
import { didYouMean } from "./problems.ts"

type Environment = Readonly<Record<string, string | undefined>>

/** Variables that no key stands behind: the file's name, and what the compose file reads. */
const otherVariables = [
  "SERIALCAST_CONFIG",
  // Those of docker-compose.yml, which a shell that starts Serialcast without containers may have set too.
  "SERIALCAST_BIND",
  "SERIALCAST_CONFIG_DIR",
  "SERIALCAST_DIALOUT_GID",
]

export interface MergedConfig {
  readonly values: unknown
  /** Variable that set a key, by the key's dotted path. */
  readonly variables: ReadonlyMap<string, string>
  readonly problems: readonly string[]
}

/**
 * Lays the `SERIALCAST_*` variables of `env` over the values of the file. An empty variable is one that is not set:
 * that is what a compose file makes of one that the user did not set.
 */
export function mergeEnvironment(values: unknown, env: Environment): MergedConfig {
  const keys = configKeys()
  const given = keys.filter(({ variable }) => variable !== null && isSet(env[variable]))
  let merged = values
  for (const { path, node, variable } of given) {
    const text = env[variable ?? ""] ?? ""
    merged = withValue(merged, path, valueOf(text, node.type))
  }
  return {
    values: merged,
    variables: new Map(given.map(({ path, variable }) => [path.join("."), variable ?? ""])),
    problems: [...unknownVariables(env, keys), ...conflicts(given)],
  }
}

function unknownVariables(env: Environment, keys: readonly ConfigKey[]): readonly string[] {
  const known = keys.flatMap(({ variable }) => variable ?? []).concat(otherVariables)
  return Object.keys(env)
    .filter((name) => name.startsWith(variablePrefix) && isSet(env[name]) && !known.includes(name))
    .map((name) => `${name}: unknown variable${didYouMean(closestName(name, known))}`)
}

/** A value and the keys of a map cannot stand in the same place. */
function conflicts(given: readonly ConfigKey[]): readonly string[] {
  return given.flatMap(({ path, variable }) =>
    given
      .filter((other) => other.path.length > path.length && path.every((key, at) => other.path[at] === key))
      .map((other) => `${other.variable}: cannot be set together with ${variable}`),
  )
}

function withValue(values: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value
  const map: Record<string, unknown> = isMap(values) ? { ...values } : {}
  map[key] = withValue(map[key], rest, value)
  return map
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** What `values` has at a path of maps; undefined where there is nothing. */
export function valueAt(values: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (isMap(value) ? value[key] : undefined), values)
}

function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== ""
}

/** As YAML would read it; what is nothing of the kind stays text, which the schema tells. */
function valueOf(text: string, type: unknown): string | boolean | number {
  if (type === "boolean" && (text === "true" || text === "false")) return text === "true"
  return type === "integer" && /^\d+$/.test(text) ? Number(text) : text
}
