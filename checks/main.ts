import { resolve } from "node:path"
import type { Check } from "./check.ts"
import { command } from "./command.ts"
import { docs } from "./docs.ts"
import { invariantGuards } from "./invariants.ts"
import { links } from "./links.ts"
import { references } from "./references.ts"

const options = {
  root: resolve(import.meta.dirname, ".."),
  write: process.argv.includes("--write"),
}

// Lint caps the sizes of files and functions too.
const checks: readonly Check[] = [
  command("types", "tsc", ["-b", ".", "build", "checks", "services/console/page", "services/webrepl/page"]),
  command("lint", "oxlint", ["--type-aware"]),
  command("format", "biome", ["check"]),
  command("unused", "knip", ["--no-progress"]),
  references,
  docs,
  links,
  invariantGuards,
]

for (const { name, run } of checks) {
  const startMs = performance.now()
  const problems = await run(options)
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
  console.log(`${problems === "" ? "ok    " : "FAILED"} ${name} (${seconds} s)`)
  if (problems === "") continue
  console.log(problems)
  process.exitCode = 1
}
