import { mkdtemp, rm } from "node:fs/promises"
import { cpus, tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { helpText, parseOptions } from "./options.ts"
import { formatTable } from "./report/table.ts"
import { buildLoad } from "./rig/build-load.ts"
import { rows } from "./rows/rows.ts"
import { type RowResult, runRows } from "./run-rows.ts"

const builtMain = resolve(import.meta.dirname, "../../cli/dist/main.js")

try {
  const options = parseOptions(process.argv.slice(2), rows)
  if (options === null)
    print(`${helpText}${rows.map(({ name, what }) => `  ${name.padEnd(16)} ${what}\n`).join("")}`)
  else process.exitCode = await bench(options)
} catch (error) {
  tell(error instanceof Error ? error.message : String(error))
  process.exitCode = 2
}

type Options = NonNullable<ReturnType<typeof parseOptions>>

/** Answers 1 when something was below its floor or failed: never for continuous integration, whose machines are busy. */
async function bench(options: Options): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "serialcast-bench-"))
  const results: RowResult[] = []
  try {
    const main = options.main === null ? builtMain : resolve(options.main)
    const load = await buildLoad(folder)
    if (!options.isJson) print(`${machine()}, ${options.runs} runs, scale ${options.scale}\n`)
    for await (const result of runRows(options, { load, main, folder, tell })) {
      results.push(result)
      if (!options.isJson) print(format(result))
    }
    if (options.isJson)
      print(
        `${JSON.stringify({ machine: machine(), scale: options.scale, rows: results.map(toJson) }, null, 2)}\n`,
      )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  const isGood = ({ failures, summaries }: RowResult) =>
    failures.length === 0 && summaries.every(({ verdict }) => verdict !== "below the floor")
  return results.every(isGood) ? 0 : 1
}

function format({ row, summaries, failures }: RowResult): string {
  const failed = failures.map((text) => `\n**Failed:** ${text}\n`).join("")
  return `\n### ${row.name}\n\n${row.what}.\n\n${formatTable(summaries)}${failed}`
}

function toJson({ row: { name, what }, summaries, failures }: RowResult) {
  return { name, what, figures: summaries, failures }
}

function machine(): string {
  const [first] = cpus()
  return `${cpus().length} × ${first?.model.trim() ?? "unknown processor"}, Node ${process.versions.node}`
}

function print(text: string): void {
  process.stdout.write(text)
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`)
}
