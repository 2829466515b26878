import { readFile } from "node:fs/promises"

const readme = new URL("../../README.md", import.meta.url)

/** The shell blocks of a section of the README, in order: what its readers copy and paste. */
export async function readmeCommands(heading: string): Promise<readonly string[]> {
  const text = await readFile(readme, "utf8")
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`))
  if (section === undefined) throw new Error(`The README has no section ${JSON.stringify(heading)}.`)
  return [...section.matchAll(/```sh\n(.*?)\n```/gs)].map(([, block = ""]) => block)
}
