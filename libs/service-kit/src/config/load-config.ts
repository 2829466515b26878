import { existsSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { AppError } from "@serialcast/contract"
import type { Config } from "./config.ts"
import { mergeEnvironment } from "./environment.ts"
import { exposedListeners } from "./exposure.ts"
import { describeIssues, expectation } from "./problems.ts"
import { readYaml } from "./read-yaml.ts"
import { configSchema } from "./schema.ts"

export interface ConfigInput {
  /** The file, before SERIALCAST_CONFIG; without both, serialcast.yaml where there is one. */
  readonly file?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where relative file names start; the working directory by default. */
  readonly directory?: string | undefined
}

/**
 * The configuration: defaults, then the file, then the environment. Throws `bad_config` whose message has one line
 * for each problem, named by its path in the file or by its variable.
 */
export function loadConfig({ file, env, directory = "." }: ConfigInput): Config {
  const source = file ?? (env["SERIALCAST_CONFIG"] || defaultFile(directory))
  const merged = mergeEnvironment(source === null ? {} : readYaml(readText(directory, source), source), env)
  const nameOf = (path: readonly PropertyKey[]) => {
    const dotted = path.map(String).join(".")
    return merged.variables.get(dotted) ?? (dotted || (source ?? "configuration"))
  }
  const parsed = configSchema.safeParse(merged.values, { error: expectation, reportInput: true })
  const problems = [
    ...describeIssues(parsed.error?.issues ?? [], nameOf),
    ...exposedListeners(merged).map(({ path, problem }) => `${nameOf(path)}: ${problem}`),
    ...merged.problems,
  ]
  if (parsed.data === undefined || problems.length > 0) throw new AppError("bad_config", problems.join("\n"))
  return deepFreeze({ ...parsed.data, source })
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
