import type { OptionTable } from "./options.ts"

/** What the help of a command says about it. */
export interface HelpSpec {
  readonly name: string
  readonly summary: string
  /** What stands behind the options, like `[device]`. */
  readonly operands: string
  /** More to know, one paragraph each, with their line breaks. */
  readonly about: readonly string[]
  readonly options: OptionTable
  readonly examples: readonly Example[]
}

export type Example = readonly [command: string, meaning: string]

export function formatHelp(spec: HelpSpec): string {
  return [
    formatUsage(spec),
    "",
    `${spec.summary}.`,
    ...spec.about.flatMap((paragraph) => ["", paragraph]),
    "",
    "Options",
    ...columns(Object.entries(spec.options).map(optionRow)),
    "",
    "Examples",
    ...columns(spec.examples),
    "",
  ].join("\n")
}

/** One line: how the command is called. */
export function formatUsage({ name, operands }: Pick<HelpSpec, "name" | "operands">): string {
  return `Usage: ${["serialcast", name, "[options]", operands].join(" ").trimEnd()}`
}

/** Rows of two columns, indented by two. */
export function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([first]) => first.length))
  return rows.map(([first, second]) => `  ${first.padEnd(width)}   ${second}`)
}

function optionRow([name, { short, value, help }]: [string, OptionTable[string]]): readonly [string, string] {
  const flag = short === undefined ? `    --${name}` : `-${short}, --${name}`
  return [value === undefined ? flag : `${flag} <${value}>`, help]
}
