import { parseArgs } from "node:util"
import { closestName, didYouMean } from "@serialcast/service-kit"
import { UsageError } from "./usage-error.ts"

/** One option of a command, as it is parsed and as its help tells it. */
export interface OptionSpec {
  readonly type: "string" | "boolean"
  readonly short?: string
  /** What stands for the value in the help, like `file`. */
  readonly value?: string
  readonly help: string
}

/** The options of a command by their long names. */
export type OptionTable = Readonly<Record<string, OptionSpec>>

/** What was given of a table's options; one that was not is undefined. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: (Table[Name]["type"] extends "boolean" ? boolean : string) | undefined
}

export interface ParsedArguments<Table extends OptionTable> {
  readonly values: OptionValues<Table>
  readonly operands: readonly string[]
}

/** Reads the arguments of a command. Throws `UsageError` for what the table does not have. */
export function parseOptions<Table extends OptionTable>(
  table: Table,
  args: readonly string[],
): ParsedArguments<Table> {
  try {
    const options = Object.fromEntries(
      Object.entries(table).map(([name, { type, short }]) => [
        name,
        short === undefined ? { type } : { type, short },
      ]),
    )
    const { values, positionals } = parseArgs({
      args: joinNumbers(table, args),
      allowPositionals: true,
      options,
    })
    // parseArgs made them after this table; it derives types from literal tables only.
    return { values: values as OptionValues<Table>, operands: positionals }
  } catch (cause) {
    throw new UsageError(describe(cause, Object.keys(table)), { cause })
  }
}

/** parseArgs takes a value that starts with a dash, as in `--from -100`, only behind an equals sign. */
function joinNumbers(table: OptionTable, args: readonly string[]): string[] {
  const joined: string[] = []
  const end = args.indexOf("--")
  for (const [at, arg] of args.entries()) {
    const name = joined.at(-1)?.replace(/^--/, "")
    const isValue = (end < 0 || at < end) && /^-\d+$/.test(arg)
    if (isValue && name !== undefined && table[name]?.type === "string") joined.push(`${joined.pop()}=${arg}`)
    else joined.push(arg)
  }
  return joined
}

function describe(cause: unknown, names: readonly string[]): string {
  const { message } = cause as Error
  const unknown = /^Unknown option '--([^']+)'/.exec(message)?.[1]
  if (unknown === undefined) return message
  const flag = `--${unknown}`
  const flags = names.map((name) => `--${name}`)
  return `There is no option ${flag}${didYouMean(closestName(flag, flags))}`
}
