import { rm } from "node:fs/promises"
import { join } from "node:path"
import type { BenchOptions } from "./options.ts"
import { type Summary, summarize } from "./report/summary.ts"
import { createRig } from "./rig/rig.ts"
import type { Measurement, Row } from "./row.ts"

export interface RunDeps {
  /** The compiled load program. */
  readonly load: string
  /** The program under test. */
  readonly main: string
  /** An empty folder. */
  readonly folder: string
  /** Hears how far it is, and the profiles. */
  readonly tell: (text: string) => void
}

export interface RowResult {
  readonly row: Row
  readonly summaries: readonly Summary[]
  /** What made a run useless: a lost byte, a program that ended. */
  readonly failures: readonly string[]
}

/** Measures one row after the other; a run that fails is told, and the next one begins. */
export async function* runRows(
  options: BenchOptions,
  deps: RunDeps,
): AsyncGenerator<RowResult, void, undefined> {
  for (const row of options.rows) {
    const measurements: Measurement[] = []
    const failures: string[] = []
    for (let run = 1; run <= options.runs; run++) {
      deps.tell(`${row.name}: run ${run} of ${options.runs}`)
      try {
        measurements.push(await runOnce(row, options, deps))
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error)
        deps.tell(`${row.name}: ${text}`)
        failures.push(text)
      }
    }
    yield { row, summaries: summarize(row, measurements), failures }
  }
}

/** In a fresh folder, with programs of its own, so that no run meets what another left. */
async function runOnce(
  row: Row,
  { scale, seed, isProfiled }: BenchOptions,
  { load, main, folder: parent, tell }: RunDeps,
): Promise<Measurement> {
  const folder = join(parent, "run")
  try {
    const onProfile = isProfiled ? tell : null
    return await row.run(await createRig({ main, load, folder, scale, seed, tell, onProfile }))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
