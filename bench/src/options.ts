import { parseArgs } from "node:util"
import type { Row } from "./row.ts"

export const helpText = `Measures the built all-in-one process, and ser2net beside it where it is installed.

  npm run bench -- [row…] [options]

  --runs <n>       How often each row is measured; the median counts (default 3)
  --scale <x>      Sizes, times and numbers of samples in multiples of the full ones (default 1)
  --long           The rows that take minutes too
  --seed <n>       Of random input (default: another one in each run, which is printed)
  --json           JSON on standard output instead of tables
  --profile        A table of the functions that took most of the gateway's time, for each run
  --main <file>    The program under test (default: cli/dist/main.js)
  --help           This text

Rows
`

export interface BenchOptions {
  readonly rows: readonly Row[]
  readonly runs: number
  readonly scale: number
  /** null: another one in each run. */
  readonly seed: number | null
  readonly isJson: boolean
  readonly isProfiled: boolean
  readonly main: string | null
}

/** null: help is wanted. Throws a sentence about what it does not know. */
export function parseOptions(args: readonly string[], rows: readonly Row[]): BenchOptions | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      runs: { type: "string", default: "3" },
      scale: { type: "string", default: "1" },
      seed: { type: "string" },
      long: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      profile: { type: "boolean", default: false },
      main: { type: "string" },
      help: { type: "boolean", default: false },
    },
  })
  if (values.help) return null
  const unknown = positionals.filter((name) => !rows.some((row) => row.name === name))
  if (unknown.length > 0) throw new Error(`no row ${unknown.join(", ")}; --help lists them`)
  const isChosen = ({ name, isLong = false }: Row) =>
    positionals.length > 0 ? positionals.includes(name) : values.long || !isLong
  return {
    rows: rows.filter(isChosen),
    runs: Math.ceil(positiveNumber("--runs", values.runs)),
    scale: positiveNumber("--scale", values.scale),
    seed: values.seed === undefined ? null : positiveNumber("--seed", values.seed),
    isJson: values.json,
    isProfiled: values.profile,
    main: values.main ?? null,
  }
}

function positiveNumber(name: string, text: string): number {
  const value = Number(text)
  if (!(value > 0 && Number.isFinite(value)))
    throw new Error(`${name}: expected a number above 0, found ${text}`)
  return value
}
