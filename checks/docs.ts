import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Check } from "./check.ts"
import { referencePages } from "./reference-pages.ts"

const folder = "docs/reference"

/** The reference pages say what the code says. */
export const docs: Check = {
  name: "docs",
  async run({ root, write }) {
    const problems: string[] = []
    for (const [name, wanted] of Object.entries(referencePages())) {
      const file = join(root, folder, name)
      if (wanted === (await readIfThere(file))) continue
      if (write) await writeFile(file, wanted)
      else problems.push(`${folder}/${name} is out of date: run npm run check -- --write`)
    }
    return problems.join("\n")
  },
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8")
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw error
  }
}
