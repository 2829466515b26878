import { existsSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { AppError } from "@serialcast/contract"
import { collidingListeners, describeCollision, type ListeningPart } from "./colliding-listeners.ts"
import type { Config } from "./config.ts"
import { mergeEnvironment } from "./environment.ts"
import { exposedListeners } from "./exposure.ts"
import { describeIssues, expectation } from "./problems.ts"
import { readYaml } from "./read-yaml.ts"
import { configSchema } from "./schema.ts"

export interface ConfigInput {
  /** The file, before SERIALCAST_CONFIG; without both, serialcast.yaml where there is one. */
  readonly file?: string | undefined
  /** What a file would hold, in place of every file. */
  readonly values?: unknown
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where relative file names start; the working directory by default. */
  readonly directory?: string | undefined
  /** The parts of the configuration whose listeners this process opens, which may not collide; default: the tunnels. */
  readonly opens?: readonly ListeningPart[] | undefined
  /** What the user calls the key at a path; by default its variable where one set it, else the path. */
  readonly nameOf?: ((path: readonly PropertyKey[]) => string) | undefined
}

/**
 * The configuration: defaults, then the file, then the environment. Throws `bad_config` whose message has one line
 * for each problem, named by its path in the file or by its variable.
 */
export function loadConfig(input: ConfigInput): Config {
  const { source, values } =
    input.values === undefined ? readFrom(input) : { source: null, values: input.values }
  const merged = mergeEnvironment(values, input.env)
  const named = (path: readonly PropertyKey[]) => {
    const dotted = path.map(String).join(".")
    return merged.variables.get(dotted) ?? (dotted || (source ?? "configuration"))
  }
  const { nameOf = named, opens = ["tunnels"] } = input
  const parsed = configSchema.safeParse(merged.values, { error: expectation, reportInput: true })
  const problems = [
    ...describeIssues(parsed.error?.issues ?? [], nameOf),
    ...exposedListeners(merged).map(({ path, problem }) => `${nameOf(path)}: ${problem}`),
    ...collidingListeners(merged, opens).map((collision) => describeCollision(collision, nameOf)),
    ...merged.problems,
  ]
  if (parsed.data === undefined || problems.length > 0) throw new AppError("bad_config", problems.join("\n"))
  return deepFreeze({ ...parsed.data, source })
}

function readFrom({ file, env, directory = "." }: ConfigInput): { source: string | null; values: unknown } {
  const source = file ?? (env["SERIALCAST_CONFIG"] || defaultFile(directory))
  return { source, values: source === null ? {} : readYaml(readText(directory, source), source) }
}

function defaultFile(directory: string): string | null {
  const name = "serialcast.yaml"
  return existsSync(join(directory, name)) ? name : null
}

function readText(directory: string, file: string): string {
  try {
    return readFileSync(resolve(directory, file), "utf8")
  } catch (cause) {
    const reason =
      (cause as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : String(cause)
    throw new AppError("bad_config", `The configuration file ${file} cannot be read: ${reason}.`, { cause })
  }
}

function deepFreeze<T extends object>(value: T): Readonly<T> {
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null) deepFreeze(inner)
  }
  return Object.freeze(value)
}
