import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { Check } from "./check.ts"

const page = "docs/architecture.md"
const row = /^\| (\d+) \|.*$/gm
const invariants = 10

/** Each invariant of the architecture page names a test that guards it; that the test exists is for `links`. */
export const invariantGuards: Check = {
  name: "invariants",
  async run({ root }) {
    const text = await readFile(join(root, page), "utf8")
    const guarded = [...text.matchAll(row)].filter(([line]) => /\.(test|e2e)\.ts\)/.test(line))
    const numbers = new Set(guarded.map(([, number]) => Number(number)))
    return Array.from({ length: invariants }, (_, at) => at + 1)
      .filter((number) => !numbers.has(number))
      .map((number) => `${page}: invariant ${number} names no test`)
      .join("\n")
  },
}
