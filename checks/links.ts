import { execFile } from "node:child_process"
import { access, readFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import type { Check } from "./check.ts"

const link = /\[([^\]]+)\]\(([^)#\s]+)(?:#[^)]*)?\)/g
const isTest = /\.(test|e2e)\.ts$/

/** Every relative link in Markdown leads to a file; where that is a test, the link's text is one of its titles. */
export const links: Check = {
  name: "links",
  async run({ root }) {
    const listing = ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    const { stdout } = await promisify(execFile)("git", listing, { cwd: root })
    const files = stdout.split("\n").filter((file) => file !== "")
    return (await Promise.all(files.map((file) => checkFile(root, file)))).flat().join("\n")
  },
}

async function checkFile(root: string, file: string): Promise<string[]> {
  const text = await readFile(join(root, file), "utf8")
  const found = [...text.matchAll(link)].filter(([, , target = ""]) => !URL.canParse(target))
  const problems = await Promise.all(
    found.map(([, label = "", target = ""]) => checkLink(label, join(root, dirname(file), target))),
  )
  return problems.flatMap((problem) => (problem === null ? [] : `${file}: ${problem}`))
}

async function checkLink(label: string, target: string): Promise<string | null> {
  if (!isTest.test(target)) {
    return await access(target).then(
      () => null,
      () => `${target} is not there`,
    )
  }
  const source = await readFile(target, "utf8").catch(() => "")
  // Titles are double-quoted throughout.
  return source.includes(JSON.stringify(label)) ? null : `${target} has no test ${JSON.stringify(label)}`
}
