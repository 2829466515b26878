import type { FileEntry } from "@serialcast/micropython"
import { defineCommand } from "../command/command.ts"
import { exitCodes } from "../command/exit-code.ts"
import { asciiJson, escapeName } from "../terminal/escape-controls.ts"
import { formatTable } from "../terminal/table.ts"
import { findPaths } from "./board-path.ts"
import { boardOptions, takeBoard } from "./take-board.ts"

export const lsCommand = defineCommand({
  name: "ls",
  summary: "List the files of a MicroPython board",
  operands: "<device> [path]",
  maxOperands: 2,
  about: [
    "The program that the board runs is interrupted for it. Patterns like '*.py' are for the board: quote them.",
  ],
  options: {
    ...boardOptions,
    all: {
      type: "boolean",
      short: "a",
      help: "With what a put that was cut off left, for the next one to go on with",
    },
    json: { type: "boolean", help: "As JSON" },
  },
  examples: [
    ["serialcast ls board", "What is in the board's current folder"],
    ["serialcast ls board '/lib/*.py'", "What fits"],
  ],
  async run({ values, operands: [given, path = "."] }, context) {
    const entries = await takeBoard({ values, given, purpose: `ls ${path}`, context }, async ({ files }) => {
      const found = await findPaths(files, [path])
      const [only] = found
      if (found.length === 1 && only?.kind === "directory")
        return await files.list(only.path, { isAll: values.all === true })
      return found.map(({ path: name, kind, size }) => ({ name, kind, size }))
    })
    const text = values.json === true ? `${asciiJson(entries)}\n` : listing(entries)
    await context.stdout.write(text)
    return exitCodes.done
  },
})

/** Names are the board's: a terminal must not obey them. */
function listing(entries: readonly FileEntry[]): string {
  const rows = entries.map(({ name, kind, size }) => [
    (kind === "directory" ? "" : String(size)).padStart(8),
    escapeName(name) + (kind === "directory" ? "/" : ""),
  ])
  return formatTable(rows)
    .map((row) => `${row}\n`)
    .join("")
}
